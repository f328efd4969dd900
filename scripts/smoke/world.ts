import type { Answer, Ask, Client } from "../registry-client.ts";
import { expectHeader, expectStatus, Failure, header } from "./diagnosis.ts";
import { artifactOf, type Content, contentOf, imageOf, noise } from "./image.ts";

export interface SmokeOptions {
  /** Logs in, if there are credentials. */
  readonly client: Client;
  /** Has no credentials; undefined when `client` has none either. */
  readonly stranger: Client | undefined;
  /** Where everything is pushed, such as `skerry-smoke/1a2b3c`. */
  readonly repository: string;
  /** Bytes of the largest body that is tried; undefined for none beyond a mebibyte. */
  readonly largestBody: number | undefined;
}

const octetStream = { "Content-Type": "application/octet-stream" };

/** What the checks push, and how they ask. */
export class SmokeWorld {
  readonly options: SmokeOptions;
  readonly tag = "smoke";
  readonly config = contentOf(JSON.stringify({ architecture: "none", os: "none", made: Date.now() }));
  readonly layer = noise(1024 * 1024);
  readonly chunked = noise(300 * 1024);
  readonly empty = contentOf("{}");
  readonly image = imageOf(this.config, this.layer);
  readonly artifact = artifactOf(this.empty, this.image);
  /** Paths of manifests, then of blobs, that were pushed and not deleted. */
  readonly left = { manifests: new Set<string>(), blobs: new Set<string>() };

  constructor(options: SmokeOptions) {
    this.options = options;
  }

  /** The path of a manifest, a blob, or whatever is below the repository. */
  path(rest: string): string {
    return `/v2/${this.options.repository}/${rest}`;
  }

  /** Sends a request as Go's clients do, which accept gzip. */
  ask(method: string, target: string, ask: Ask = {}): Promise<Answer> {
    return this.options.client.send(method, target, {
      ...ask,
      headers: { "Accept-Encoding": "gzip", ...ask.headers },
    });
  }

  /** Begins an upload. @returns its Location. */
  async begin(): Promise<string> {
    return this.locationOf(expectStatus(await this.ask("POST", this.path("blobs/uploads/")), 202));
  }

  /** @throws Failure for a Location that leads elsewhere. */
  locationOf(answer: Answer): string {
    const location = header(answer, "Location");
    if (location === undefined) throw new Failure("no Location");
    const { origin } = this.options.client;
    const url = new URL(location, origin);
    if (url.origin === origin) return url.href;
    throw new Failure(
      `Location leads to ${url.origin}`,
      "set PUBLIC_URL to the URL under which clients reach the registry",
    );
  }

  /** Sends the closing PUT of an upload. */
  async close(location: string, blob: Content, body: Uint8Array = new Uint8Array()): Promise<void> {
    const url = new URL(location);
    url.searchParams.set("digest", blob.digest);
    const answer = await this.ask("PUT", url.href, { headers: octetStream, body });
    if (answer.status === 201) this.left.blobs.add(this.path(`blobs/${blob.digest}`));
    expectHeader(expectStatus(answer, 201), "Docker-Content-Digest", blob.digest);
  }

  /** Pushes a blob by POST and PUT. */
  async push(blob: Content): Promise<void> {
    await this.close(await this.begin(), blob, blob.bytes);
  }

  /** Sends a part of a blob. @returns the next Location. */
  async patch(location: string, body: Uint8Array, ask: Omit<Ask, "body"> = {}): Promise<string> {
    const headers = { ...octetStream, ...ask.headers };
    return this.locationOf(expectStatus(await this.ask("PATCH", location, { ...ask, headers, body }), 202));
  }
}
