import type { Config } from "../../src/config.ts";
import { type Algorithm, type Digest, encodedOf } from "../../src/oci/digest.ts";
import {
  dockerImageConfig,
  dockerManifest,
  dockerManifestList,
  ociManifest,
} from "../../src/oci/media-type.ts";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import type { Operation } from "../doubles/operation.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  indexOf,
  pushBlob,
  putManifest,
  type TestBlob,
  type TestManifest,
} from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

const root = "docker/registry/v2/";

/** How a piece of content is pushed. */
export interface Pushed {
  /** `app` unless given. */
  readonly name?: string;
  /** Tag or digest; the digest unless given. */
  readonly reference?: string;
  /** Fields that the manifest has besides. */
  readonly more?: object;
  readonly algorithm?: Algorithm;
}

/** A child of an index with the platform that its descriptor names. */
export interface Child {
  readonly label: string;
  readonly platform?: object;
}

/**
 * A registry with content that has labels: `<image>` in a request, a header or an expectation stands for the digest
 * of the content labelled `image`.
 */
export class World {
  readonly registry: TestRegistry;
  readonly client: Client;
  readonly #contents = new Map<string, TestManifest>();

  constructor(config: Partial<Config> = {}) {
    this.registry = createTestRegistry();
    // What a request cost is not what it does: HEAD costs less than the GET that it answers like.
    this.client = this.registry.client("client", { serverTiming: "off", ...config });
  }

  /** The content of a label. @throws Error for a label that was not given. */
  content(label: string): TestManifest {
    const content = this.#contents.get(label);
    if (content === undefined) throw new Error(`there is no content labelled ${label}`);
    return content;
  }

  /** The text with the digests that its labels stand for. */
  resolve(text: string): string {
    return text.replace(/<([a-z0-9 -]+)>/g, (_, label: string) => this.content(label).digest);
  }

  /** The text with labels for the digests that have one. */
  labelled(text: string): string {
    let result = text;
    for (const [label, { digest }] of this.#contents) result = result.replaceAll(digest, `<${label}>`);
    return result;
  }

  /** Gives content a label; JSON with the digests that its labels stand for, or bytes as they are. */
  async label(
    label: string,
    content: object | string | Uint8Array<ArrayBuffer>,
    mediaType: string = ociManifest,
    algorithm: Algorithm = "sha256",
  ): Promise<TestManifest> {
    const isText = typeof content === "string" || content instanceof Uint8Array;
    const blob = await blobOf(isText ? content : this.resolve(JSON.stringify(content)), algorithm);
    return this.#keep(label, { ...blob, mediaType });
  }

  /** Pushes a blob whose content is its label. */
  async blob(label: string, { name = "app", algorithm }: Pushed = {}): Promise<TestBlob> {
    const blob = await this.label(label, `blob ${label}`, "", algorithm);
    await expectStatus(pushBlob(this.client, name, blob), 201);
    return blob;
  }

  /** Pushes an OCI image with a configuration and a layer of its own. */
  async image(label: string, pushed: Pushed = {}): Promise<TestManifest> {
    const config = await this.blob(`${label} config`, pushed);
    const layer = await this.blob(`${label} layer`, pushed);
    return this.push(label, await imageOf(config, [layer], pushed.more, pushed.algorithm), pushed);
  }

  /** Pushes a Docker image (schema 2) over one configuration. */
  async docker(label: string, pushed: Pushed = {}): Promise<TestManifest> {
    const config = await this.blob(`${label} config`, pushed);
    const body = {
      schemaVersion: 2,
      mediaType: dockerManifest,
      config: { mediaType: dockerImageConfig, digest: config.digest, size: config.bytes.byteLength },
      layers: [],
    };
    return this.push(label, { ...(await blobOf(JSON.stringify(body))), mediaType: dockerManifest }, pushed);
  }

  /** Pushes an OCI image index over manifests that were pushed before. */
  async index(label: string, children: readonly string[], pushed: Pushed = {}): Promise<TestManifest> {
    const manifests = children.map((child) => this.content(child));
    return this.push(label, await indexOf(manifests, pushed.more, pushed.algorithm), pushed);
  }

  /** Pushes a Docker manifest list over manifests that were pushed before. */
  async list(label: string, children: readonly Child[], pushed: Pushed = {}): Promise<TestManifest> {
    const manifests = children.map(({ label: child, platform }) => {
      const { mediaType, digest, bytes } = this.content(child);
      return { mediaType, digest, size: bytes.byteLength, platform };
    });
    const body = { schemaVersion: 2, mediaType: dockerManifestList, manifests };
    const list = { ...(await blobOf(JSON.stringify(body))), mediaType: dockerManifestList };
    return this.push(label, list, pushed);
  }

  /** Pushes a manifest and gives it a label. */
  async push(label: string, manifest: TestManifest, pushed: Pushed = {}): Promise<TestManifest> {
    const { name = "app", reference = manifest.digest } = pushed;
    await expectStatus(putManifest(this.client, name, reference, manifest), 201);
    return this.#keep(label, manifest);
  }

  /** Sends a request that is part of the preparation. */
  async expect(request: string, status: number, headers: Record<string, string> = {}): Promise<Response> {
    return expectStatus(this.client.ask(this.resolve(request), { headers }), status);
  }

  /** Puts content with the links of distribution, which have no metadata, straight into the bucket. */
  async foreign(
    label: string,
    content: object | string | Uint8Array<ArrayBuffer>,
    links: { readonly name?: string; readonly tag?: string; readonly link?: string } = {},
  ): Promise<void> {
    const declared = (content as { readonly mediaType?: string }).mediaType;
    const { digest, bytes } = await this.label(label, content, declared);
    const { name = "app", tag, link = digest } = links;
    const manifests = `${root}repositories/${name}/_manifests/`;
    await this.put(blobKey(digest), bytes);
    await this.put(`${manifests}revisions/sha256/${encodedOf(digest)}/link`, link);
    if (tag !== undefined) await this.put(`${manifests}tags/${tag}/current/link`, link);
  }

  /** Links content as distribution links a layer. */
  async foreignLayer(label: string, name = "app"): Promise<void> {
    const { digest, bytes } = await this.label(label, `blob ${label}`, "");
    await this.put(blobKey(digest), bytes);
    await this.put(`${root}repositories/${name}/_layers/sha256/${encodedOf(digest)}/link`, digest);
  }

  /** Puts an object into the bucket, past the application; below `docker/registry/v2/` if `key` is relative. */
  async put(key: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> {
    await this.registry.r2.actor("distribution").put(key.startsWith(root) ? key : root + key, body);
  }

  /** Removes an object from the bucket, past the application. */
  async remove(key: string): Promise<void> {
    await this.registry.r2.actor("vandal").delete(root + key);
  }

  /** Makes a repository a mirror of another registry. */
  mirror(name: string): void {
    Object.assign(this.client.registry, { isPullThrough: (other: string) => other === name });
  }

  /** Lets every operation of that kind fail before it takes effect. */
  breaks(matching: (operation: Operation) => boolean): void {
    this.registry.gate.policy = faults([{ matching, when: "before" }]);
  }

  /** Lets all operations succeed again. */
  mend(): void {
    this.registry.gate.policy = immediate;
  }

  /** What a key of the bucket holds, as text with labels; null if there is no such key. */
  held(key: string): string | null {
    const object = Array.from(this.registry.r2.store.objects(key)).find((other) => other.key === key);
    return object === undefined ? null : this.labelled(new TextDecoder().decode(object.bytes));
  }

  /** Every key of the bucket. */
  keys(): readonly string[] {
    return Array.from(this.registry.r2.store.objects(), ({ key }) => key);
  }

  #keep(label: string, content: TestManifest): TestManifest {
    this.#contents.set(label, content);
    return content;
  }
}

/** Where the bytes of a digest lie. */
export function blobKey(digest: Digest): string {
  const encoded = encodedOf(digest);
  return `${root}blobs/sha256/${encoded.slice(0, 2)}/${encoded}/data`;
}
