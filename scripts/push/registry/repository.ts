import type { Digest } from "../../../src/oci/digest.ts";
import type { RepositoryName } from "../../../src/oci/name.ts";
import { manifestTypes } from "../media-types.ts";
import { RegistryFailure } from "./failure.ts";
import type { Registry } from "./registry.ts";
import type { Answer, Body, StreamedAnswer } from "./transport.ts";

/** A manifest as a registry gives it. */
export interface RemoteManifest {
  readonly mediaType: string;
  readonly bytes: Buffer<ArrayBuffer>;
}

/** Where an upload session goes on, and with what. */
export interface UploadStep {
  readonly location: URL;
  readonly offset: number;
}

/** Sizes of chunks in bytes that a registry announces when a session begins. */
export interface ChunkLimits {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

const octets = { "Content-Type": "application/octet-stream" };
/** Milliseconds that a registry may take to put a blob together before it answers. */
const commitPatience = 900_000;

/** One repository of a registry, by the distribution specification. */
export class Repository {
  readonly registry: Registry;
  readonly name: RepositoryName;
  readonly #scopes: readonly string[];

  /** @param actions what tokens are asked for: `pull`, or `pull,push`. */
  constructor(registry: Registry, name: RepositoryName, actions: "pull" | "pull,push") {
    this.registry = registry;
    this.name = name;
    this.#scopes = [`repository:${name}:${actions}`];
  }

  /** Whether the repository has the blob (end-2). @throws RegistryFailure. */
  async hasBlob(digest: Digest): Promise<boolean> {
    const request = { method: "HEAD", target: this.#path(`blobs/${digest}`), scopes: this.#scopes };
    return (await this.registry.ask(request, [200, 404])).status === 200;
  }

  /** The blob from the byte `start` on; 206, or 200 and the whole of it (end-2). @throws RegistryFailure. */
  openBlob(digest: Digest, start: number): Promise<StreamedAnswer> {
    const request = {
      target: this.#path(`blobs/${digest}`),
      scopes: this.#scopes,
      ...(start > 0 && { headers: { Range: `bytes=${start}-` } }),
    };
    return this.registry.open(request, [200, 206]);
  }

  /** The manifest, or undefined if there is none (end-3). @throws RegistryFailure. */
  async manifest(tagOrDigest: string): Promise<RemoteManifest | undefined> {
    const answer = await this.#manifest("GET", tagOrDigest);
    if (answer.status === 404) return undefined;
    const mediaType = answer.headers["content-type"]?.split(";")[0]?.trim() ?? "";
    return { mediaType, bytes: answer.body };
  }

  /** The digest of the manifest, as the registry says it, or undefined (end-3). @throws RegistryFailure. */
  async manifestDigest(tagOrDigest: string): Promise<string | undefined> {
    const answer = await this.#manifest("HEAD", tagOrDigest);
    const header = answer.headers["docker-content-digest"];
    return answer.status === 404 || header === undefined ? undefined : String(header);
  }

  /** Puts a manifest (end-7). @throws RegistryFailure. */
  async putManifest(tagOrDigest: string, { mediaType, bytes }: RemoteManifest): Promise<void> {
    const request = {
      method: "PUT",
      target: this.#path(`manifests/${tagOrDigest}`),
      headers: { "Content-Type": mediaType },
      body: bodyOf(bytes),
      scopes: this.#scopes,
    };
    await this.registry.ask(request, [201]);
  }

  /**
   * Begins an upload session, or mounts (end-4, end-11).
   * @param from the repository to mount from; without it the registry may look for one.
   * @returns "mounted", or the session with what was announced for its chunks; "refused" if the mount is.
   * @throws RegistryFailure.
   */
  async startUpload(
    digest: Digest,
    from: RepositoryName | undefined,
  ): Promise<"mounted" | "refused" | (UploadStep & { readonly limits: ChunkLimits })> {
    const query = new URLSearchParams({ mount: digest, ...(from !== undefined && { from }) });
    if (!digest.startsWith("sha256:")) query.set("digest-algorithm", digest.slice(0, digest.indexOf(":")));
    const request = {
      method: "POST",
      target: this.#path(`blobs/uploads/?${query}`),
      scopes: [...this.#scopes, ...(from === undefined ? [] : [`repository:${from}:pull`])],
    };
    const answer = await this.registry.ask(
      request,
      from === undefined ? [201, 202] : [201, 202, 401, 403, 404],
    );
    if (answer.status === 201) return "mounted";
    if (answer.status !== 202) return "refused";
    const limit = (name: string) => Number(answer.headers[name]) || undefined;
    return {
      location: this.#location(answer),
      offset: 0,
      limits: { min: limit("oci-chunk-min-length"), max: limit("oci-chunk-max-length") },
    };
  }

  /** Where a session stands (end-13), or undefined if it is over. @throws RegistryFailure. */
  async uploadStatus(location: URL): Promise<UploadStep | undefined> {
    const request = { method: "GET", target: location, scopes: this.#scopes };
    const answer = await this.registry.ask(request, [200, 202, 204, 400, 404, 405, 410]);
    return answer.status >= 400 ? undefined : this.#step(answer, location);
  }

  /** Sends a chunk (end-5), once. @throws RegistryFailure for a connection that failed; what the body throws. */
  patch(step: UploadStep, body: Body): Promise<Answer> {
    const last = step.offset + body.length - 1;
    const headers = { ...octets, "Content-Range": `${step.offset}-${last}` };
    return this.registry.attempt({
      method: "PATCH",
      target: step.location,
      headers,
      body,
      scopes: this.#scopes,
    });
  }

  /** Closes a session (end-6), once; with the whole blob, or without a body. @throws as `patch`. */
  close(location: URL, digest: Digest, body?: Body): Promise<Answer> {
    const target = new URL(location);
    target.searchParams.set("digest", digest);
    return this.registry.attempt({
      method: "PUT",
      target,
      headers: octets,
      ...(body !== undefined && { body }),
      scopes: this.#scopes,
      patience: commitPatience,
    });
  }

  /** Ends a session that is not needed (end-14); whatever is answered will do, since sessions end by themselves. */
  async cancelUpload(location: URL): Promise<void> {
    const request = { method: "DELETE", target: location, scopes: this.#scopes };
    await this.registry.attempt(request).catch(() => {});
  }

  /** Where an answered chunk leaves a session. */
  stepAfter(answer: Answer, before: UploadStep): UploadStep {
    return this.#step(answer, before.location);
  }

  /** The listing of the manifests whose subject has this digest (end-12), or undefined where it is not offered. */
  async referrers(digest: Digest): Promise<readonly Buffer[] | undefined> {
    const pages: Buffer[] = [];
    for (let target: string | URL | undefined = this.#path(`referrers/${digest}`); target !== undefined; ) {
      const request: { readonly method: string; readonly target: string | URL } = { method: "GET", target };
      const answer = await this.registry.ask({ ...request, scopes: this.#scopes }, [200, 404, 405]);
      if (answer.status !== 200) return undefined;
      pages.push(answer.body);
      const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(answer.headers.link ?? ""))?.[1];
      target =
        next === undefined ? undefined : this.registry.resolve(next, this.registry.resolve(String(target)));
    }
    return pages;
  }

  async #manifest(method: "GET" | "HEAD", tagOrDigest: string): Promise<Answer> {
    const headers = { Accept: manifestTypes.join(", ") };
    const target = this.#path(`manifests/${tagOrDigest}`);
    return this.registry.ask({ method, target, headers, scopes: this.#scopes }, [200, 404]);
  }

  #step(answer: Answer, base: URL): UploadStep {
    const range = /^(?:bytes[= ])?0-(\d+)/.exec(String(answer.headers.range ?? ""));
    const last = Number(range?.[1] ?? 0);
    // `0-0` stands for nothing as well as for one byte, and no chunk that is sent has one.
    return { location: this.#location(answer, base), offset: last === 0 ? 0 : last + 1 };
  }

  /** @throws RegistryFailure for an answer that lacks it where the specification wants it. */
  #location(answer: Answer, base?: URL): URL {
    const { location } = answer.headers;
    if (location !== undefined) return this.registry.resolve(location, base);
    if (base !== undefined) return base;
    throw new RegistryFailure(`${this.registry.url.host} began an upload without saying where it goes on`);
  }

  #path(rest: string): string {
    return `/v2/${this.name}/${rest}`;
  }
}

/** A body of bytes that are there. */
export function bodyOf(bytes: Uint8Array): Body {
  return {
    length: bytes.length,
    open: async function* () {
      yield bytes;
    },
  };
}
