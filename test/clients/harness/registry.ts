import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

/** What a descriptor of the image specification says that these checks read. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  /** Where the bytes of a foreign layer are, which no registry keeps. */
  readonly urls?: readonly string[];
}

interface Manifest {
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/** Looks into the registry under test with plain requests, to say whether a client's work arrived whole. */
export class RegistryProbe {
  /** `host:port`, as it stands in image references. */
  readonly host: string;

  constructor(host: string) {
    this.host = host;
  }

  /** An image reference of this registry. */
  reference(repository: string, tagOrDigest: string): string {
    return `${this.host}/${repository}${tagOrDigest.includes(":") ? "@" : ":"}${tagOrDigest}`;
  }

  /** Waits until the registry answers `GET /v2/` with 200. */
  async ready(seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const response = await fetch(this.#url("")).catch(() => undefined);
      await response?.arrayBuffer();
      if (response?.status === 200) return;
      if (Date.now() > deadline) throw new Error(`no registry answers at ${this.host}`);
      await delay(200);
    }
  }

  /** The digest of the manifest there, or undefined if there is none. */
  async digest(repository: string, tagOrDigest: string): Promise<string | undefined> {
    const response = await this.#manifest(repository, tagOrDigest);
    const body = await response.arrayBuffer();
    if (response.status === 404) return undefined;
    expectStatus(response, 200);
    return sha256(new Uint8Array(body));
  }

  /**
   * Fetches the manifest there and all that it refers to, and compares every size and digest.
   * @returns the digests of the manifest, of its children, of configs and layers.
   */
  async verify(repository: string, tagOrDigest: string, expected?: string): Promise<ReadonlySet<string>> {
    const response = await this.#manifest(repository, tagOrDigest);
    const body = new Uint8Array(await response.arrayBuffer());
    expectStatus(response, 200);
    const digest = sha256(body);
    const told = response.headers.get("docker-content-digest");
    if (told !== digest)
      throw new Error(`${repository}:${tagOrDigest}: header says ${told}, body is ${digest}`);
    if (expected !== undefined && digest !== expected) {
      throw new Error(`${repository}:${tagOrDigest} is ${digest}, ${expected} was expected`);
    }
    const seen = new Set([digest]);
    const manifest: Manifest = JSON.parse(new TextDecoder().decode(body));
    for (const child of manifest.manifests ?? []) {
      for (const each of await this.verify(repository, child.digest, child.digest)) seen.add(each);
    }
    for (const blob of [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])]) {
      if (blob.urls !== undefined) continue;
      await this.#verifyBlob(repository, blob);
      seen.add(blob.digest);
    }
    return seen;
  }

  async tags(repository: string): Promise<readonly string[]> {
    const response = await fetch(this.#url(`${repository}/tags/list`));
    expectStatus(response, 200);
    return ((await response.json()) as { readonly tags: readonly string[] | null }).tags ?? [];
  }

  async referrers(repository: string, digest: string): Promise<readonly Descriptor[]> {
    const response = await fetch(this.#url(`${repository}/referrers/${digest}`));
    expectStatus(response, 200);
    return ((await response.json()) as { readonly manifests: readonly Descriptor[] }).manifests;
  }

  async #verifyBlob(repository: string, blob: Descriptor): Promise<void> {
    const response = await fetch(this.#url(`${repository}/blobs/${blob.digest}`));
    expectStatus(response, 200);
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of response.body ?? []) {
      hash.update(chunk);
      size += chunk.byteLength;
    }
    const digest = `sha256:${hash.digest("hex")}`;
    if (digest !== blob.digest || size !== blob.size) {
      throw new Error(`${repository}@${blob.digest} (${blob.size} bytes) came as ${digest} (${size} bytes)`);
    }
  }

  #manifest(repository: string, tagOrDigest: string): Promise<Response> {
    const headers = { Accept: manifestTypes.join(", ") };
    return fetch(this.#url(`${repository}/manifests/${tagOrDigest}`), { headers });
  }

  #url(path: string): string {
    return `http://${this.host}/v2/${path}`;
  }
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function expectStatus(response: Response, status: number): void {
  if (response.status !== status) throw new Error(`${response.url}: ${response.status}, ${status} expected`);
}
