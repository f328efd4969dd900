import { createHash, randomBytes } from "node:crypto";
import type { Answer, Client } from "../../scripts/registry-client.ts";

export interface Content {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

export interface ManifestContent extends Content {
  readonly mediaType: string;
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** Bytes that no registry has seen. Only the beginning is random: what is measured does not compress. */
export function newContent(size: number): Content {
  const bytes = Buffer.alloc(size, "content ");
  bytes.set(randomBytes(Math.min(size, 32)));
  return contentOf(bytes);
}

export function contentOf(bytes: Uint8Array): Content {
  return { bytes, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}

/** A manifest of its own over a configuration and layers. */
export function newManifest(config: Content, layers: readonly Content[]): ManifestContent {
  const descriptor = (mediaType: string, { bytes, digest }: Content) => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map((layer) => descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)),
    annotations: { unique: randomBytes(8).toString("hex") },
  };
  return { ...contentOf(Buffer.from(JSON.stringify(manifest))), mediaType: manifestType };
}

/** One repository of a registry, as the bench uses it. */
export class Repository {
  readonly client: Client;
  readonly name: string;

  constructor(client: Client, name: string) {
    this.client = client;
    this.name = name;
  }

  /** Gets a manifest by tag or digest. */
  manifest(tagOrDigest: string): Promise<Answer> {
    return this.#ask("GET", `manifests/${tagOrDigest}`, 200, {
      headers: { Accept: manifestType },
      discard: true,
    });
  }

  blob(digest: string): Promise<Answer> {
    return this.#ask("GET", `blobs/${digest}`, 200, { discard: true });
  }

  tags(): Promise<Answer> {
    return this.#ask("GET", "tags/list", 200, { discard: true });
  }

  async pushInOne({ bytes, digest }: Content): Promise<void> {
    const url = await this.#start();
    url.searchParams.set("digest", digest);
    const headers = { "Content-Type": "application/octet-stream" };
    await this.client.ask("PUT", url.href, 201, { headers, body: bytes });
  }

  async pushByPatch({ bytes, digest }: Content): Promise<void> {
    const started = await this.#start();
    const headers = { "Content-Type": "application/octet-stream" };
    const patched = await this.client.ask("PATCH", started.href, 202, { headers, body: bytes });
    const url = this.#location(patched);
    url.searchParams.set("digest", digest);
    await this.client.ask("PUT", url.href, 201);
  }

  async put(reference: string, { bytes, mediaType }: ManifestContent): Promise<void> {
    await this.#ask("PUT", `manifests/${reference}`, 201, {
      headers: { "Content-Type": mediaType },
      body: bytes,
    });
  }

  async delete(digest: string): Promise<void> {
    await this.#ask("DELETE", `manifests/${digest}`, 202);
  }

  #ask(method: string, path: string, expected: number, ask: Parameters<Client["ask"]>[3] = {}) {
    return this.client.ask(method, `/v2/${this.name}/${path}`, expected, ask);
  }

  async #start(): Promise<URL> {
    return this.#location(await this.#ask("POST", "blobs/uploads/", 202));
  }

  #location(answer: Answer): URL {
    return new URL(String(answer.headers.location), this.client.origin);
  }
}
