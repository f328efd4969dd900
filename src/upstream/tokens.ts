import * as v from "valibot";
import { readBytes } from "../oci/read-bytes.ts";
import type { Clock, Fetch } from "../storage/ports.ts";
import { Remembered } from "../storage/remembered.ts";
import { basic } from "./basic.ts";
import type { Challenge } from "./challenge.ts";
import { discard, mayFetch, send } from "./transport.ts";
import type { Credentials, Upstream } from "./upstream.ts";
import { limited, refusedUpstream, unreachable } from "./upstream-error.ts";
import type { UpstreamRepository } from "./upstreams.ts";

/** Bytes of a token server's answer at most. */
const maxBytes = 64 * 1024;
/** Seconds that a token is good for when its server does not say (Docker token protocol). */
const usualLifetime = 60;
/** Milliseconds before its end at which a token is not used any more. */
const margin = 5000;
/** Tokens that an isolate remembers. */
const maxTokens = 1000;

const answer = v.object({
  token: v.optional(v.string()),
  access_token: v.optional(v.string()),
  expires_in: v.optional(v.number()),
});

interface Token {
  readonly text: string;
  /** Unix time in milliseconds. */
  readonly goodUntil: number;
}

/** Tokens by which upstreams let us pull, one for each repository (Docker token protocol). */
export class UpstreamTokens {
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #tokens = new Remembered<string, Token>(maxTokens);

  constructor(fetch: Fetch, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** The token for pulling from the repository, if there is one that is still good. */
  known({ name }: UpstreamRepository): string | undefined {
    const token = this.#tokens.get(name);
    return token !== undefined && this.#clock.now() < token.goodUntil ? token.text : undefined;
  }

  /**
   * Gets a token from the server that a challenge names. The credentials go there only if it is the upstream's own
   * host or one that the configuration lists; any other server is asked without.
   * @throws UpstreamError as the server answers; 502 for a challenge that leads where none may.
   */
  async get(
    { upstream, name, remote }: UpstreamRepository,
    challenge: Challenge,
    credentials: Credentials | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    const realm = URL.parse(challenge.parameters.get("realm") ?? "");
    if (realm === null || !mayFetch(upstream, realm))
      throw unreachable(`${upstream.prefix}: a token server where none may be`);
    const service = challenge.parameters.get("service");
    if (service !== undefined) realm.searchParams.set("service", service);
    realm.searchParams.set("scope", challenge.parameters.get("scope") ?? `repository:${remote}:pull`);
    const isTrusted = realm.host === upstream.url.host || upstream.realms.includes(realm.host);
    const { response } = await send(this.#fetch, upstream, realm, {
      method: "GET",
      headers: { Accept: "application/json" },
      authorization: credentials !== undefined && isTrusted ? basic(credentials) : undefined,
      signal,
    });
    const token = await read(upstream, response);
    this.#tokens.set(name, {
      text: token.text,
      goodUntil: this.#clock.now() + token.lifetime * 1000 - margin,
    });
    return token.text;
  }

  /** Forgets a token that was not taken. */
  forget({ name }: UpstreamRepository): void {
    this.#tokens.delete(name);
  }
}

async function read(upstream: Upstream, response: Response) {
  if (!response.ok) {
    await discard(response);
    if (response.status === 401 || response.status === 403) throw refusedUpstream(response.status);
    if (response.status === 429) throw limited(1000);
    throw unreachable(`${upstream.prefix}: its token server answers ${response.status}`);
  }
  try {
    const bytes = await readBytes(response.body, maxBytes);
    const { token, access_token, expires_in } = v.parse(answer, JSON.parse(new TextDecoder().decode(bytes)));
    const text = token || access_token;
    // A token goes into a header.
    if (!text || !/^[\x21-\x7e]+$/.test(text)) throw new Error("no token");
    return { text, lifetime: expires_in ?? usualLifetime };
  } catch {
    // What was wrong with it could quote the token.
    throw unreachable(`${upstream.prefix}: its token server gives no token`);
  }
}
