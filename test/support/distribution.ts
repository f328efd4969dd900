import type { Digest } from "../../src/oci/digest.ts";
import { parseRepositoryName, type RepositoryName, type Tag } from "../../src/oci/name.ts";
import { Layout } from "../../src/storage/layout.ts";
import type { Bucket } from "../../src/storage/ports.ts";
import { blobOf, imageOf, type TestBlob, type TestManifest } from "./content.ts";

/** Writes into a bucket what distribution would: data, links and tags, and nothing of Skerry's. */
export class Distribution {
  readonly layout = new Layout();
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  async data(blob: TestBlob): Promise<void> {
    await this.#bucket.put(this.layout.blobData(blob.digest), blob.bytes);
  }

  /** A layer link; to `target` where that is another digest. */
  async layerLink(name: string, digest: Digest, target: string = digest): Promise<void> {
    await this.#bucket.put(this.layout.layerLink(parseRepositoryName(name), digest), target);
  }

  async revisionLink(name: string, digest: Digest, target: string = digest): Promise<void> {
    await this.#bucket.put(this.layout.revisionLink(parseRepositoryName(name), digest), target);
  }

  async currentLink(name: string, tag: string, target: string): Promise<void> {
    await this.#bucket.put(this.layout.currentLink(parseRepositoryName(name), tag as Tag), target);
  }

  async blob(name: string, blob: TestBlob): Promise<void> {
    await this.data(blob);
    await this.layerLink(name, blob.digest);
  }

  async manifest(name: string, manifest: TestManifest, ...tags: readonly string[]): Promise<void> {
    await this.data(manifest);
    await this.revisionLink(name, manifest.digest);
    for (const tag of tags) await this.tag(name, tag, manifest.digest);
  }

  /** Sets a tag, with the index entry that distribution writes first. */
  async tag(name: string, tag: string, digest: Digest): Promise<void> {
    const repository: RepositoryName = parseRepositoryName(name);
    await this.#bucket.put(this.layout.tagIndexLink(repository, tag as Tag, digest), digest);
    await this.currentLink(name, tag, digest);
  }

  /** Removes a tag, with all entries of its index. */
  async untag(name: string, tag: string): Promise<void> {
    const prefix = `${this.layout.currentLinks(parseRepositoryName(name))}${tag}/`;
    const { objects } = await this.#bucket.list({ prefix });
    await this.#bucket.delete(objects.map(({ key }) => key));
  }

  /** Removes a manifest, then the tags that name it. */
  async remove(name: string, digest: Digest, ...tags: readonly string[]): Promise<void> {
    await this.#bucket.delete(this.layout.revisionLink(parseRepositoryName(name), digest));
    for (const tag of tags) await this.untag(name, tag);
  }

  /** An image of its own with its blobs, as `pushImage` makes it. */
  async image(name: string, tags: readonly string[], seed: string, more: object = {}): Promise<TestManifest> {
    const config = await blobOf(`{"seed":${JSON.stringify(seed)}}`);
    const layer = await blobOf(`layer of ${seed}`);
    await this.blob(name, config);
    await this.blob(name, layer);
    const image = await imageOf(config, [layer], more);
    await this.manifest(name, image, ...tags);
    return image;
  }
}
