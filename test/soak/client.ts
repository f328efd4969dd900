import { createHash } from "node:crypto";

/** Bytes with their digest. */
export interface Blob {
  readonly digest: string;
  readonly bytes: Buffer<ArrayBuffer>;
}

/** An image that was pushed to a repository. */
export interface Image extends Blob {
  readonly repository: string;
  /** Its configuration and layers. */
  readonly blobs: readonly Blob[];
  /** What it signs, if it is a signature. */
  readonly subject: Image | undefined;
}

export const manifestType = "application/vnd.oci.image.manifest.v1+json";

export function blobOf(content: string): Blob {
  const bytes = Buffer.from(content);
  return { bytes, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}

/** An image over blobs, the first of which is its configuration. @param subject what it signs. */
export function imageOf(repository: string, blobs: readonly Blob[], subject?: Image): Image {
  const [config, ...layers] = blobs.map(({ digest, bytes }, index) => ({
    mediaType: `application/vnd.oci.image.${index === 0 ? "config.v1+json" : "layer.v1.tar"}`,
    digest,
    size: bytes.byteLength,
  }));
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers,
    ...(subject && {
      subject: { mediaType: manifestType, digest: subject.digest, size: subject.bytes.byteLength },
    }),
  };
  return { ...blobOf(JSON.stringify(manifest)), repository, blobs, subject };
}

/** How often a request that is told to come back does so. */
const tries = 60;

/** A client that does what clients do: it comes back when it is told to, and counts what it was answered. */
export class SoakClient {
  readonly #origin: string;
  /** Answers by method and status. */
  readonly answers = new Map<string, number>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  /**
   * Sends a request, again after 429 and 503.
   * @param path a path, or an absolute URL.
   * @throws Error after an answer of 500, or when the registry goes on sending the client away.
   */
  async send(method: string, path: string, body?: Buffer<ArrayBuffer>, type?: string): Promise<Response> {
    for (let attempt = 0; attempt < tries; attempt++) {
      const response = await fetch(new URL(path, this.#origin), {
        method,
        ...(body && { body }),
        ...(type && { headers: { "Content-Type": type } }),
      });
      const what = `${method} ${response.status}`;
      this.answers.set(what, (this.answers.get(what) ?? 0) + 1);
      if (response.status === 500) throw new Error(`${method} ${path}: 500 ${await response.text()}`);
      if (response.status !== 503 && response.status !== 429) return response;
      await response.body?.cancel();
      const seconds = Number(response.headers.get("Retry-After") ?? 1);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000 * Math.random()));
    }
    throw new Error(`${method} ${path}: sent away ${tries} times`);
  }

  /** Sends a request of which only the status matters. */
  async status(method: string, path: string, body?: Buffer<ArrayBuffer>, type?: string): Promise<number> {
    const response = await this.send(method, path, body, type);
    await response.arrayBuffer();
    return response.status;
  }

  /** What a GET answers, or undefined if there is nothing. */
  async bytes(path: string): Promise<Buffer | undefined> {
    const response = await this.send("GET", path);
    const bytes = Buffer.from(await response.arrayBuffer());
    return response.status === 200 ? bytes : undefined;
  }
}
