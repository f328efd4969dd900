import type { ErrorCode } from "../oci/error.ts";
import { readBytes } from "../oci/read-bytes.ts";
import type { Clock, Fetch } from "../storage/ports.ts";
import { basic } from "./basic.ts";
import { parseChallenges } from "./challenge.ts";
import { within } from "./in-time.ts";
import { retryAfter } from "./retry-after.ts";
import { UpstreamTokens } from "./tokens.ts";
import { discard, type Incoming, send } from "./transport.ts";
import type { Credentials, Upstream } from "./upstream.ts";
import { limited, missingUpstream, refusedUpstream, timedOut, unreachable } from "./upstream-error.ts";
import type { UpstreamRepository } from "./upstreams.ts";

export interface UpstreamRequest {
  readonly method: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  /** What a 404 of the upstream means to the client, and the `detail` of its error. */
  readonly missing: readonly [code: ErrorCode, detail: unknown];
  /** Breaks the answer off, its body too, which is not within the upstream's time. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer with its whole body. */
export interface UpstreamAnswer {
  readonly response: Response;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Speaks to upstreams: logs in as they ask, follows redirects without taking credentials along, asks nobody who
 * said to wait, and gives up within the upstream's time.
 */
export class UpstreamClient {
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #credentials: ReadonlyMap<string, Credentials>;
  readonly #tokens: UpstreamTokens;
  /** Upstreams that want credentials with each request. */
  readonly #basic = new Set<Upstream>();
  /** Until when an upstream wants to be left alone; Unix time in milliseconds. */
  readonly #paused = new Map<Upstream, number>();

  /** @param credentials by the prefix of the upstream. */
  constructor(fetch: Fetch, clock: Clock, credentials: ReadonlyMap<string, Credentials>) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#credentials = credentials;
    this.#tokens = new UpstreamTokens(fetch, clock);
  }

  /**
   * The upstream's answer, its body unread and without a limit of time. It may be any 1xx to 3xx that is no
   * redirect, any 4xx besides those below, 501, and 403 for a HEAD that was redirected: who reads it looks at its status.
   * @param path below `/v2/<name>/`, with a query if there is one.
   * @throws UpstreamError for 401, other 403, 404, 429 and other 5xx of the upstream, and 502 or 504 if it cannot be
   *   reached.
   */
  open(repository: UpstreamRepository, path: string, request: UpstreamRequest): Promise<Response> {
    return within(repository.upstream.timeout, (inTime) => {
      const signal = request.signal === undefined ? inTime : AbortSignal.any([inTime, request.signal]);
      return this.#ask(repository, path, request, signal);
    });
  }

  /**
   * The upstream's answer with its body, all of it within the upstream's time.
   * @param limit bytes of the body at most.
   * @throws UpstreamError as `open`, and 502 for a body that breaks off or is larger.
   */
  read(
    repository: UpstreamRepository,
    path: string,
    request: UpstreamRequest,
    limit: number,
  ): Promise<UpstreamAnswer> {
    return within(repository.upstream.timeout, async (signal) => {
      const response = await this.#ask(repository, path, request, signal);
      const bytes = await readBytes(response.body, limit).catch((cause: unknown) => {
        throw signal.aborted ? timedOut(cause) : unreachable(cause);
      });
      if (bytes === undefined) throw unreachable(`an answer of more than ${limit} bytes`);
      return { response, bytes };
    });
  }

  async #ask(
    repository: UpstreamRepository,
    path: string,
    request: UpstreamRequest,
    signal: AbortSignal,
  ): Promise<Response> {
    const { upstream, remote } = repository;
    const pause = (this.#paused.get(upstream) ?? 0) - this.#clock.now();
    if (pause > 0) throw limited(pause);
    const url = new URL(`/v2/${remote}/${path}`, upstream.url);
    const attempt = (authorization: string | undefined): Promise<Incoming> =>
      send(this.#fetch, upstream, url, {
        method: request.method,
        headers: request.headers ?? {},
        authorization,
        signal,
      });
    let incoming = await attempt(this.#remembered(repository));
    if (incoming.response.status === 401 && incoming.isOwn) {
      const authorization = await this.#authorize(repository, incoming.response, signal);
      if (authorization !== undefined) incoming = await attempt(authorization);
      if (incoming.response.status === 401) this.#forget(repository);
    }
    return this.#judge(upstream, incoming, request);
  }

  #remembered(repository: UpstreamRepository): string | undefined {
    const { upstream } = repository;
    const credentials = this.#credentials.get(upstream.prefix);
    if (credentials !== undefined && this.#basic.has(upstream)) return basic(credentials);
    const token = this.#tokens.known(repository);
    return token && `Bearer ${token}`;
  }

  #forget(repository: UpstreamRepository): void {
    this.#tokens.forget(repository);
    this.#basic.delete(repository.upstream);
  }

  /** The `Authorization` that answers the challenge of a 401; undefined if we have nothing to answer with. */
  async #authorize(
    repository: UpstreamRepository,
    response: Response,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { upstream } = repository;
    const challenges = parseChallenges(response.headers.get("WWW-Authenticate") ?? "");
    await discard(response);
    const credentials = this.#credentials.get(upstream.prefix);
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === "bearer" && parameters.has("realm"),
    );
    if (bearer !== undefined)
      return `Bearer ${await this.#tokens.get(repository, bearer, credentials, signal)}`;
    if (credentials === undefined || !challenges.some(({ scheme }) => scheme === "basic")) return undefined;
    this.#basic.add(upstream);
    return basic(credentials);
  }

  async #judge(
    upstream: Upstream,
    { response, isOwn }: Incoming,
    { method, missing }: UpstreamRequest,
  ): Promise<Response> {
    const { status, headers } = response;
    if (status === 501 || (status < 500 && ![401, 403, 404, 429].includes(status))) return response;
    // The URL of a storage may be signed for GET alone.
    if (status === 403 && method === "HEAD" && !isOwn) return response;
    await discard(response);
    if (status === 404) throw missingUpstream(...missing);
    if (status === 429) {
      const pause = retryAfter(headers.get("Retry-After"), this.#clock.now());
      this.#paused.set(upstream, this.#clock.now() + pause);
      throw limited(pause);
    }
    if (status < 500) throw refusedUpstream(status);
    throw unreachable(`${upstream.prefix}: status ${status}`);
  }
}
