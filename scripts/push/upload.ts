import type { ChunkSize } from "./chunk-size.ts";
import type { SourceBlob } from "./content.ts";
import { failureOf } from "./registry/answers.ts";
import { Backoff } from "./registry/backoff.ts";
import { RegistryFailure } from "./registry/failure.ts";
import type { Repository, UploadStep } from "./registry/repository.ts";
import type { Answer, Body } from "./registry/transport.ts";

/** What an upload needs beside the blob. */
export interface UploadContext {
  readonly target: Repository;
  readonly chunks: ChunkSize;
  /** Begins another session, after one that is over. "mounted" if the blob has come from elsewhere meanwhile. */
  begin(): Promise<UploadStep | "mounted">;
  /** Keeps where the session stands, before anything is sent to it. */
  remember(step: UploadStep): Promise<void>;
  /** Is told how many bytes of the blob are sent; fewer than before, if some did not arrive. */
  sent(bytes: number): void;
}

/** Sessions that may be lost on the way, and chunks in a row that may be refused for their place. */
const maxRestarts = 3;
const maxMisplaced = 5;

/**
 * Uploads a blob to a session, from where it stands: in one PUT if that is allowed to be so large, else in chunks by
 * PATCH (distribution-spec, "Pushing blobs"). What fails on the way is repeated from what the registry has of it.
 * @throws RegistryFailure; what reading the blob throws.
 */
export async function uploadBlob(
  blob: SourceBlob,
  session: UploadStep,
  context: UploadContext,
): Promise<void> {
  await new Upload(blob, session, context).run();
}

class Upload {
  readonly #blob: SourceBlob;
  readonly #context: UploadContext;
  readonly #backoff: Backoff;
  #step: UploadStep;
  #isResumed: boolean;
  #restarts = 0;
  #misplaced = 0;

  constructor(blob: SourceBlob, step: UploadStep, context: UploadContext) {
    this.#blob = blob;
    this.#step = step;
    this.#context = context;
    this.#backoff = new Backoff(context.target.registry.retries);
    this.#isResumed = step.offset > 0;
  }

  async run(): Promise<void> {
    for (;;) {
      const length = this.#nextLength();
      try {
        const answer = await this.#send(length);
        if (await this.#isDone(answer, length)) return;
      } catch (error) {
        await this.#backoff.pause(error);
        // What was answered was not too much at once for the connection.
        const isCut = error instanceof RegistryFailure && error.status === undefined;
        if (isCut) this.#context.chunks.shrink(length, false);
        if (await this.#ask(this.#step.location)) return;
      }
    }
  }

  /** Bytes of the next request's body: all of a small blob, a chunk, or none to close the session. */
  #nextLength(): number {
    const { size } = this.#blob;
    return Math.min(this.#context.chunks.of(size), size - this.#step.offset);
  }

  #send(length: number): Promise<Answer> {
    const { target } = this.#context;
    const { location, offset } = this.#step;
    const { digest, size } = this.#blob;
    this.#context.sent(offset);
    if (offset === size) return target.close(location, digest);
    const body = this.#body(offset, length);
    return length === size ? target.close(location, digest, body) : target.patch(this.#step, body);
  }

  #body(start: number, length: number): Body {
    const { sent } = this.#context;
    const read = () => this.#blob.read(start, start + length);
    return {
      length,
      open: async function* () {
        let position = start;
        for await (const piece of read()) {
          yield piece;
          position += piece.length;
          sent(position);
        }
      },
    };
  }

  /** Takes an answer. @returns whether the blob is there. @throws RegistryFailure for what does not go on. */
  async #isDone(answer: Answer, length: number): Promise<boolean> {
    const { target, chunks } = this.#context;
    if (answer.status === 201) return true;
    if (answer.status === 202 || answer.status === 204) {
      await this.#goOn(target.stepAfter(answer, this.#step));
      return false;
    }
    const failure = failureOf(`blob ${this.#blob.digest} to ${target.name}`, answer);
    if (answer.status === 416 && ++this.#misplaced <= maxMisplaced) {
      return this.#ask(target.stepAfter(answer, this.#step).location);
    }
    if (answer.status === 404) return this.#restart(failure);
    // A registry that says what is wrong does not mean the size of the request, but of the blob or of the number of chunks.
    if (answer.status === 413 && failure.codes.length === 0 && chunks.shrink(length, true)) return false;
    // Bytes of an earlier run may have been others: the source may have changed, or the registry have lost some.
    if (failure.codes.includes("DIGEST_INVALID") && this.#isResumed) return this.#restart(failure);
    throw failure;
  }

  async #goOn(step: UploadStep): Promise<void> {
    const { size } = this.#blob;
    if (step.offset > size)
      throw new RegistryFailure(`the registry has ${step.offset} bytes of a blob of ${size}`);
    if (step.offset > this.#step.offset) {
      this.#backoff.reset();
      this.#misplaced = 0;
    }
    this.#step = step;
    await this.#context.remember(step);
  }

  /** Asks where the session stands, and goes on there, or with another one. @returns whether the blob is there. */
  async #ask(location: URL): Promise<boolean> {
    const step = await this.#context.target.uploadStatus(location);
    if (step === undefined)
      return this.#restart(new RegistryFailure(`the upload session of ${this.#blob.digest} is over`));
    this.#isResumed ||= step.offset > 0;
    await this.#goOn(step);
    return false;
  }

  /** @returns whether the blob is there: a session is over, too, when the answer to its end was lost. */
  async #restart(failure: RegistryFailure): Promise<boolean> {
    const { target } = this.#context;
    if (await target.hasBlob(this.#blob.digest)) return true;
    if (++this.#restarts > maxRestarts) throw failure;
    const step = await this.#context.begin();
    if (step === "mounted") return true;
    this.#isResumed = false;
    this.#step = step;
    await this.#context.remember(step);
    return false;
  }
}
