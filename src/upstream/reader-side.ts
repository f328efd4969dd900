import { inTime } from "./in-time.ts";

/** How a client takes what is downloaded: as it comes, too slowly to be waited for, not any more, or all of it. */
type Pace = "along" | "behind" | "gone" | "done";

/**
 * The client's side of a download. The last piece is held back until the whole is known to be right: nobody gets
 * a wrong blob to its end.
 */
export class ReaderSide {
  readonly body: ReadableStream;
  readonly #writable: WritableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #held: Uint8Array<ArrayBuffer> | undefined;
  #pending: Promise<void> = Promise.resolve();
  #pace: Pace = "along";
  #taken = 0;

  /** @param size bytes in all; undefined where nobody says. */
  constructor(size: number | undefined) {
    const { readable, writable } =
      size === undefined ? new IdentityTransformStream() : new FixedLengthStream(size);
    this.body = readable;
    this.#writable = writable;
    this.#writer = this.#writable.getWriter();
    this.#writer.closed.catch(() => {
      this.#pace = "gone";
    });
  }

  get pace(): Pace {
    return this.#pace;
  }

  /**
   * Gives the client the piece before this one, and waits until he has it.
   * @param patience milliseconds after which he is left behind; undefined to wait as long as it takes.
   * @returns the piece whose memory is free again.
   */
  async offer(
    piece: Uint8Array<ArrayBuffer>,
    patience: number | undefined,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#pace !== "along") return piece;
    const before = this.#held;
    this.#held = piece;
    if (before === undefined) return undefined;
    this.#give(before);
    try {
      if (patience === undefined) await this.#pending;
      else if (!(await inTime(this.#pending, patience))) {
        this.#pace = "behind";
        this.#held = undefined;
        return undefined;
      }
      return before;
    } catch {
      this.#pace = "gone";
      return undefined;
    }
  }

  /** Gives the last piece, now that all is known to be right, to who is not behind. */
  finish(): void {
    if (this.#pace !== "along") return;
    this.#pace = "done";
    if (this.#held !== undefined) this.#give(this.#held);
    this.#writer.close().catch(() => undefined);
  }

  /** Gives a client who is behind the rest, once he has read so far. @param open opens it from an offset. */
  async goOn(open: (offset: number) => Promise<ReadableStream>): Promise<void> {
    try {
      await this.#pending;
      const rest = await open(this.#taken);
      this.#writer.releaseLock();
      await rest.pipeTo(this.#writable);
    } catch (error) {
      // Once the lock is released, it is the pipe that has broken, and the connection with it.
      await this.breakOff(error);
    }
  }

  /** Breaks the connection: what the client has is not the blob. */
  async breakOff(reason: unknown): Promise<void> {
    this.#pace = "gone";
    await this.#writer.abort(reason).catch(() => undefined);
  }

  #give(piece: Uint8Array): void {
    this.#taken += piece.byteLength;
    this.#pending = this.#writer.write(piece);
    // Looked at later; a failure before that must not count as unhandled.
    this.#pending.catch(() => undefined);
  }
}
