import { type Digest, hasDigest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { type OpenBlob, openBlob } from "./blobs.ts";
import type { EdgeCache } from "./edge-cache.ts";
import { readLink } from "./link.ts";
import { readManifest, type StoredManifest } from "./manifests.ts";
import type { Store } from "./store.ts";

const generationHeader = "Skerry-Generation";

/** What a request brings along for reading near content. */
export interface Nearness {
  /** Scheme and host under which the data centre's copies are named: the Worker's own. */
  readonly origin: string;
  /** Does work after the answer (`waitUntil`). */
  defer(work: () => Promise<unknown>): void;
}

/**
 * Content as a request reads it: the data centre's copy, else the bucket's, of which a copy is then made. Only
 * for those who may pull from the repository.
 */
export class NearContent {
  readonly store: Store;
  readonly defer: Nearness["defer"];
  readonly #cache: EdgeCache | undefined;
  readonly #origin: string;

  constructor(store: Store, cache: EdgeCache | undefined, nearness: Nearness) {
    this.store = store;
    this.defer = (work) => nearness.defer(work);
    this.#cache = cache;
    this.#origin = nearness.origin;
  }

  /**
   * The manifest, if the repository has it, or had it when the copy was made.
   * @param generation as for `readManifest`: a copy of another life is none.
   */
  async manifest(
    name: RepositoryName,
    digest: Digest,
    generation?: string,
  ): Promise<StoredManifest | undefined> {
    const cache = this.#cache;
    if (cache === undefined) return readManifest(this.store, name, digest, generation);
    const link = this.store.layout.revisionLink(name, digest);
    const copy = await this.#copiedManifest(cache, link, digest);
    if (copy !== undefined && (generation === undefined || copy.generation === generation)) return copy;
    const manifest = await readManifest(this.store, name, digest, generation);
    if (manifest !== undefined) {
      const isLive = async () => {
        const now = await readLink(this.store, link, digest);
        return now.target !== undefined && now.generation === manifest.generation;
      };
      this.defer(() => cache.fill(this.#origin, link, async () => copyOfManifest(manifest), isLive));
    }
    return manifest;
  }

  /** The blob with its bytes, if the repository links it, or linked it when the copy was made. */
  async blob(name: RepositoryName, digest: Digest): Promise<OpenBlob | undefined> {
    const cache = this.#cache;
    if (cache === undefined || cache.blobMax === 0) return openBlob(this.store, name, digest);
    const link = this.store.layout.layerLink(name, digest);
    const copy = await cache.open(this.#origin, link);
    if (copy !== undefined) return { digest, size: copy.size, body: copy.body };
    const blob = await openBlob(this.store, name, digest);
    if (blob !== undefined && blob.digest === digest && blob.size <= cache.blobMax) {
      const isLive = async () => (await readLink(this.store, link, digest)).target !== undefined;
      this.defer(() => cache.fill(this.#origin, link, () => this.#copyOfBlob(digest), isLive));
    }
    return blob;
  }

  /** Forgets the copy of a manifest that was deleted. */
  async forgetManifest(name: RepositoryName, digest: Digest): Promise<void> {
    await this.#cache?.drop(this.#origin, this.store.layout.revisionLink(name, digest));
  }

  /** Forgets the copy of a blob that was deleted. */
  async forgetBlob(name: RepositoryName, digest: Digest): Promise<void> {
    await this.#cache?.drop(this.#origin, this.store.layout.layerLink(name, digest));
  }

  /** Checked against its digest: other Workers of a zone may write to its cache too. */
  async #copiedManifest(cache: EdgeCache, link: string, digest: Digest): Promise<StoredManifest | undefined> {
    const copy = await cache.read(this.#origin, link);
    const mediaType = copy?.headers.get("Content-Type");
    if (!copy || !mediaType || !(await hasDigest(copy.bytes, digest))) return undefined;
    const { headers, bytes } = copy;
    const generation = headers.get(generationHeader) ?? "";
    return { digest, mediaType, size: bytes.byteLength, generation, bytes };
  }

  /** A read of its own: a stream shared with the client would wait in memory for the slower of the two. */
  async #copyOfBlob(digest: Digest): Promise<Response | undefined> {
    const data = await this.store.bucket.get(this.store.layout.blobData(digest));
    if (data === null) return undefined;
    return new Response(data.body, { headers: { "Content-Type": "application/octet-stream" } });
  }
}

function copyOfManifest({ bytes, mediaType, generation }: StoredManifest): Response {
  return new Response(bytes, { headers: { "Content-Type": mediaType, [generationHeader]: generation } });
}
