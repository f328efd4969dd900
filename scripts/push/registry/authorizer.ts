import type { IncomingHttpHeaders } from "node:http";
import { failureOf } from "./answers.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { RegistryFailure } from "./failure.ts";
import { type Answer, send } from "./transport.ts";

type BearerChallenge = Extract<Challenge, { readonly scheme: "bearer" }>;

interface Token {
  readonly value: string;
  /** Unix time in milliseconds. */
  readonly until: number;
}

/** Seconds that a token lives if its issuer does not say (the Docker token protocol). */
const defaultLifetime = 60;
/** Part of its life in which a token is used: the rest is for the request under way, and for clocks. */
const usedPart = 0.8;

/** Meets the challenges of one registry, with the credentials for it or with none. */
export class Authorizer {
  readonly #registry: URL;
  readonly #credentials: () => Promise<Credentials | undefined>;
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenge: Challenge | undefined;

  /** @param credentials called once at most, and only if the registry asks for them. */
  constructor(registry: URL, credentials: () => Promise<Credentials | undefined>) {
    this.#registry = registry;
    let found: Promise<Credentials | undefined> | undefined;
    this.#credentials = () => {
      found ??= credentials();
      return found;
    };
  }

  /**
   * What to send as `Authorization`, or undefined as long as the registry has not asked for anything.
   * @param scopes of a token, such as `repository:team/app:pull,push`.
   * @throws RegistryFailure if no token is to be had.
   */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === "basic") return basicHeader(await this.#credentials());
    return `Bearer ${await this.#token(challenge, scopes)}`;
  }

  /**
   * Takes the challenge of a 401.
   * @param sent the `Authorization` that was not enough.
   * @returns whether there is something else to send.
   */
  async meet(
    headers: IncomingHttpHeaders,
    scopes: readonly string[],
    sent: string | undefined,
  ): Promise<boolean> {
    const challenge = parseChallenge(headers["www-authenticate"]);
    if (challenge === undefined) return false;
    this.#challenge = challenge;
    if (challenge.scheme === "basic") return sent === undefined && (await this.#credentials()) !== undefined;
    const held = await this.#tokens.get(scopes.join(" "))?.catch(() => undefined);
    if (held !== undefined && sent === `Bearer ${held.value}`) this.#tokens.delete(scopes.join(" "));
    return true;
  }

  async #token(challenge: BearerChallenge, scopes: readonly string[]): Promise<string> {
    const key = scopes.join(" ");
    const held = this.#tokens.get(key);
    if (held !== undefined) {
      const { value, until } = await held;
      if (Date.now() < until) return value;
      // Of several requests that find it too old, the first one gets another, and the rest wait for that.
      if (this.#tokens.get(key) === held) this.#tokens.delete(key);
    }
    return (await (this.#tokens.get(key) ?? this.#renew(challenge, scopes))).value;
  }

  #renew(challenge: BearerChallenge, scopes: readonly string[]): Promise<Token> {
    const key = scopes.join(" ");
    const token = this.#issue(challenge, scopes.length > 0 ? scopes : (challenge.scope?.split(" ") ?? []));
    this.#tokens.set(key, token);
    token.catch(() => this.#tokens.delete(key));
    return token;
  }

  async #issue(challenge: BearerChallenge, scopes: readonly string[]): Promise<Token> {
    const realm = this.#realmOf(challenge);
    const credentials = await this.#credentials();
    const asked = Date.now();
    const answer =
      credentials !== undefined && "identityToken" in credentials
        ? await postForm(realm, {
            ...refreshForm(challenge, credentials.identityToken),
            scope: scopes.join(" "),
          })
        : await send({
            method: "GET",
            url: withQuery(realm, challenge.service, scopes),
            headers: credentials === undefined ? {} : { Authorization: basicHeader(credentials) ?? "" },
          });
    if (answer.status !== 200) throw failureOf(`a token from ${realm.origin}${realm.pathname}`, answer);
    const value = tokenOf(answer.body);
    if (value === undefined)
      throw new RegistryFailure(`${realm.origin}${realm.pathname} answered without a token`);
    return { value: value.token, until: asked + value.lifetime * 1000 * usedPart };
  }

  /** @throws RegistryFailure for a realm that would show the password to everybody on the way. */
  #realmOf({ realm }: BearerChallenge): URL {
    const url = new URL(realm, this.#registry);
    if (url.protocol === "https:" || this.#registry.protocol === "http:") return url;
    throw new RegistryFailure(`${this.#registry.host} sends for tokens to ${realm}, which is not https`);
  }
}

function basicHeader(credentials: Credentials | undefined): string | undefined {
  if (credentials === undefined || "identityToken" in credentials) return undefined;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function refreshForm({ service = "" }: BearerChallenge, identityToken: string): Record<string, string> {
  return { grant_type: "refresh_token", service, client_id: "skerry", refresh_token: identityToken };
}

function postForm(url: URL, form: Readonly<Record<string, string>>): Promise<Answer> {
  const bytes = Buffer.from(new URLSearchParams(form).toString());
  return send({
    method: "POST",
    url,
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: {
      length: bytes.length,
      open: async function* () {
        yield bytes;
      },
    },
  });
}

function withQuery(realm: URL, service: string | undefined, scopes: readonly string[]): URL {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return url;
}

function tokenOf(body: Buffer): { readonly token: string; readonly lifetime: number } | undefined {
  try {
    const { token, access_token, expires_in } = JSON.parse(body.toString()) as Record<string, unknown>;
    const value = token || access_token;
    const lifetime = typeof expires_in === "number" && expires_in > 0 ? expires_in : defaultLifetime;
    return typeof value === "string" ? { token: value, lifetime } : undefined;
  } catch {
    return undefined;
  }
}
