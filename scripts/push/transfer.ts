import { type RepositoryName, tryParseRepositoryName } from "../../src/oci/name.ts";
import { mapBounded } from "../../src/storage/bounded.ts";
import { ChunkSize } from "./chunk-size.ts";
import type { BlobId, ImageSource, PendingBlob, SourceManifest } from "./content.ts";
import type { Memory } from "./memory.ts";
import type { Display, Task } from "./progress.ts";
import type { ImageReference } from "./registry/reference.ts";
import type { Repository, UploadStep } from "./registry/repository.ts";
import { uploadBlob } from "./upload.ts";

/** Where an image goes, and how. */
export interface TransferOptions {
  readonly target: Repository;
  readonly reference: ImageReference;
  /** Repositories of the same registry from which blobs are mounted. */
  readonly mountFrom: readonly RepositoryName[];
  /** Blobs at once. */
  readonly parallel: number;
  /** Bytes; undefined for what suits the registry. */
  readonly chunkSize: number | undefined;
  readonly memory: Memory;
  readonly display: Display;
}

/** What was pushed. */
export interface Transferred {
  readonly root: SourceManifest;
  /** All of them, the root last. */
  readonly manifests: readonly SourceManifest[];
}

/**
 * Brings an image to a registry: its blobs, in parallel, then its manifests, children first, the root under its tag.
 * After a failure or a kill the same call goes on where it stood.
 * @throws RegistryFailure; what reading the source throws.
 */
export async function transfer(source: ImageSource, options: TransferOptions): Promise<Transferred> {
  const blobs = await mapBounded(source.blobs, options.parallel, (blob) =>
    new BlobTransfer(blob, options).run(),
  );
  const manifests = await source.manifests(blobs);
  const root = manifests.at(-1);
  if (root === undefined) throw new Error("the source has no manifest");
  for (const manifest of manifests) await putManifest(manifest, options, manifest === root);
  return { root, manifests };
}

async function putManifest(
  manifest: SourceManifest,
  { target, reference }: TransferOptions,
  isRoot: boolean,
) {
  const place = (isRoot ? reference.tag : undefined) ?? manifest.digest;
  if (isRoot && reference.digest !== undefined && reference.digest !== manifest.digest) {
    throw new Error(`the image is ${manifest.digest}, and cannot be pushed as ${reference.digest}`);
  }
  if ((await target.manifestDigest(place)) === manifest.digest) return;
  await target.putManifest(place, { mediaType: manifest.mediaType, bytes: Buffer.from(manifest.bytes) });
}

class BlobTransfer {
  readonly #blob: PendingBlob;
  readonly #options: TransferOptions;
  readonly #task: Task;
  readonly #chunks: ChunkSize;

  constructor(blob: PendingBlob, options: TransferOptions) {
    this.#blob = blob;
    this.#options = options;
    this.#task = options.display.task(blob.label);
    this.#chunks = new ChunkSize(options.chunkSize);
  }

  async run(): Promise<BlobId> {
    const { known } = this.#blob;
    const session = known && (await this.#findOrBegin(known));
    if (known !== undefined && typeof session === "string") {
      await this.#blob.discard?.();
      return this.#end(known, session);
    }

    this.#task.phase("reading", known?.size ?? 0);
    let read = 0;
    const blob = await this.#blob.open((bytes) => {
      read += bytes;
      this.#task.set(read);
    });
    let isDone = false;
    try {
      const isKnown = blob.digest === known?.digest;
      const step = isKnown && session !== undefined ? session : await this.#findOrBegin(blob);
      if (typeof step !== "string") {
        this.#task.phase("pushing", blob.size);
        await uploadBlob(blob, step, {
          target: this.#options.target,
          chunks: this.#chunks,
          begin: () => this.#begin(blob),
          remember: (newest) =>
            this.#options.memory.rememberUpload(this.#place, blob.digest, newest.location),
          sent: (bytes) => this.#task.set(bytes),
        });
      }
      isDone = true;
      return await this.#end(blob, typeof step === "string" ? step : "pushed");
    } finally {
      await blob.release(isDone);
    }
  }

  get #place(): string {
    const { target } = this.#options;
    return `${target.registry.url.host}/${target.name}`;
  }

  async #end({ digest, size }: BlobId, outcome: string): Promise<BlobId> {
    const { target, memory } = this.#options;
    await memory.forgetUpload(this.#place, digest);
    await memory.rememberBlob(target.registry.url.host, digest, target.name);
    this.#task.end(outcome, { digest, size });
    return { digest, size };
  }

  /** Finds the blob, or the session of an earlier run, or begins one. */
  async #findOrBegin(blob: BlobId): Promise<UploadStep | "there already" | "mounted"> {
    const { target, memory } = this.#options;
    if (await target.hasBlob(blob.digest)) return "there already";
    const left = await memory.upload(this.#place, blob.digest);
    const step = left && (await target.uploadStatus(left));
    return step ?? (await this.#begin(blob));
  }

  /** Mounts the blob from where it may be, or begins a session. */
  async #begin({ digest }: BlobId): Promise<UploadStep | "mounted"> {
    const { target, memory, mountFrom } = this.#options;
    const remembered = await memory.repositoriesWith(target.registry.url.host, digest);
    const names = [...mountFrom, ...remembered.map(tryParseRepositoryName)].filter(
      (name) => name !== undefined && name !== target.name,
    );
    // The last one leaves it to the registry where to look.
    for (const name of [...new Set(names)]) {
      const answer = await target.startUpload(digest, name);
      if (answer === "mounted") return answer;
      if (answer !== "refused") await target.cancelUpload(answer.location);
    }
    const answer = await target.startUpload(digest, undefined);
    if (typeof answer === "string") return "mounted";
    this.#chunks.announced(answer.limits);
    await memory.rememberUpload(this.#place, digest, answer.location);
    return answer;
  }
}
