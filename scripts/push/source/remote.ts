import { type Digest, digestOf, hasDigest } from "../../../src/oci/digest.ts";
import type { BlobId, ImageSource, SourceBlob } from "../content.ts";
import { choosePlatform, type ManifestReader, walkManifests } from "../manifest-walk.ts";
import { Backoff } from "../registry/backoff.ts";
import { connectionFailure, RegistryFailure } from "../registry/failure.ts";
import type { ImageReference } from "../registry/reference.ts";
import type { Repository } from "../registry/repository.ts";

/**
 * An image of a registry, byte for byte.
 * @param platform `os/architecture` or `os/architecture/variant` of an index, for only that.
 * @throws RegistryFailure; Error for an image that is not there.
 */
export async function remoteSource(
  repository: Repository,
  { tag, digest }: Pick<ImageReference, "tag" | "digest">,
  platform: string | undefined,
): Promise<ImageSource> {
  const cached = new Map<Digest, Uint8Array<ArrayBuffer>>();
  const read: ManifestReader = async (child) =>
    cached.get(child) ?? (await repository.manifest(child))?.bytes;
  const place = digest ?? tag ?? "latest";
  const found = await repository.manifest(place);
  if (found === undefined)
    throw new Error(`${repository.registry.url.host}/${repository.name} has no ${place}`);
  if (digest !== undefined && !(await hasDigest(found.bytes, digest))) {
    throw new Error(`${repository.registry.url.host} gave something else as ${digest}`);
  }
  const top = digest ?? (await digestOf(found.bytes, "sha256"));
  cached.set(top, found.bytes);
  const root = platform === undefined ? top : await choosePlatform(top, platform, read);
  const { manifests, blobs } = await walkManifests(root, read);
  return {
    blobs: blobs.map(({ label, digest, size }) => ({
      label,
      known: { digest, size },
      open: async () => new RemoteBlob(repository, { digest, size }),
    })),
    manifests: async () => manifests,
    close: async () => {},
  };
}

/** A blob of a registry, read in one go as long as chunk follows chunk, and by `Range` from wherever it breaks off. */
class RemoteBlob implements SourceBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly #repository: Repository;
  #pieces: AsyncIterator<Uint8Array> | undefined;
  /** What was received and not read yet. */
  #held: Uint8Array = new Uint8Array(0);
  /** Of the first byte that was not read yet. */
  #position = 0;

  constructor(repository: Repository, { digest, size }: BlobId) {
    this.#repository = repository;
    this.digest = digest;
    this.size = size;
  }

  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    const backoff = new Backoff(this.#repository.registry.retries);
    if (start !== this.#position) await this.release();
    this.#position = start;
    while (this.#position < end) {
      try {
        if (this.#held.length === 0) this.#held = await this.#next();
      } catch (error) {
        await this.release();
        await backoff.pause(error);
        continue;
      }
      backoff.reset();
      const piece = this.#held.subarray(0, end - this.#position);
      this.#held = this.#held.subarray(piece.length);
      this.#position += piece.length;
      yield piece;
    }
  }

  async release(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = undefined;
    this.#held = new Uint8Array(0);
    await pieces?.return?.();
  }

  async #next(): Promise<Uint8Array> {
    this.#pieces ??= this.#open(this.#position);
    const { value, done } = await this.#pieces.next();
    if (!done) return value;
    throw new RegistryFailure(`${this.#repository.registry.url.host} ended ${this.digest} early`, {
      isTemporary: true,
    });
  }

  async *#open(start: number): AsyncGenerator<Uint8Array> {
    const { status, body } = await this.#repository.openBlob(this.digest, start);
    // A registry that knows no ranges sends everything.
    let skipped = status === 206 ? start : 0;
    try {
      for await (const piece of body as AsyncIterable<Uint8Array>) {
        const rest = piece.subarray(Math.min(start - skipped, piece.length));
        skipped += piece.length - rest.length;
        if (rest.length > 0) yield rest;
      }
    } catch (error) {
      throw connectionFailure("GET", this.#repository.registry.url, error);
    }
  }
}
