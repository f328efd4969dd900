import { errors, type JWTHeaderParameters, jwtVerify, SignJWT } from "jose";
import type { Digest } from "../oci/digest.ts";
import { tryParseDigest } from "../oci/digest.ts";
import { AuthenticationError, reasonOf } from "./authentication-error.ts";
import type { AccessEntry } from "./scope.ts";
import { readEntries } from "./token-access.ts";
import { importTokenKey, type KeyPair, type TokenKey } from "./token-key.ts";

/** Who issues our own tokens, as they say it. */
export const ourIssuer = "skerry";

/** Seconds that a token lives: so long does it outlive the revocation of what it was got with. */
export const tokenLifetime = 300;

const algorithm = "ES256";
/** The `typ` of each kind of token keeps one from being taken for the other. */
const accessType = "JWT";
const refreshType = "refresh+jwt";

/** What a token says of who got it, and what it allows him. */
export interface TokenContent {
  readonly subject: string;
  readonly entries: readonly AccessEntry[];
}

/** Issues and checks the tokens of this registry. */
export class Tokens {
  readonly #secrets: readonly TokenKey[];
  #keys: readonly KeyPair[] | undefined;

  /** @param secrets the key that signs, then one that is still believed while it is being replaced. */
  constructor(secrets: readonly TokenKey[]) {
    this.#secrets = secrets;
  }

  /** Whether there is a key at all. Without one, nothing is issued, and nothing is believed. */
  get enabled(): boolean {
    return this.#secrets.length > 0;
  }

  /** A token for `service` from `now` on (Unix time in milliseconds). */
  issue(content: TokenContent, service: string, now: number): Promise<string> {
    return this.#sign(
      accessType,
      { sub: content.subject, access: content.entries },
      service,
      now,
      tokenLifetime,
    );
  }

  /**
   * A token that gets tokens, for as long as the account has the key of this hash: a key that is rotated or
   * revoked takes it along, and so it needs no end of its own.
   */
  issueRefresh(account: string, hash: Digest, service: string, now: number): Promise<string> {
    return this.#sign(refreshType, { sub: account, key: hash }, service, now, undefined);
  }

  /** @throws AuthenticationError for a token that is not ours, not for `service`, or not good at `now`. */
  async verify(token: string, service: string, now: number): Promise<TokenContent> {
    const payload = await this.#verify(accessType, token, service, now);
    return { subject: payload.sub ?? "", entries: readEntries(payload.access) };
  }

  /** The account and the hash of its key. @throws AuthenticationError as verify. */
  async verifyRefresh(
    token: string,
    service: string,
    now: number,
  ): Promise<{ readonly account: string; readonly hash: Digest }> {
    const { sub, key } = await this.#verify(refreshType, token, service, now);
    const hash = typeof key === "string" ? tryParseDigest(key) : undefined;
    if (sub === undefined || hash === undefined) throw new AuthenticationError("malformed token");
    return { account: sub, hash };
  }

  async #sign(
    typ: string,
    claims: Record<string, unknown>,
    service: string,
    now: number,
    lifetime: number | undefined,
  ): Promise<string> {
    const [key] = await this.#pairs();
    if (key === undefined) throw new Error("no key to sign a token with");
    const seconds = Math.floor(now / 1000);
    const token = new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ, kid: key.id })
      .setIssuer(ourIssuer)
      .setAudience(service)
      .setIssuedAt(seconds)
      .setJti(crypto.randomUUID());
    if (lifetime !== undefined) token.setExpirationTime(seconds + lifetime);
    return token.sign(key.private);
  }

  async #verify(typ: string, token: string, service: string, now: number) {
    const keys = await this.#pairs();
    const keyOf = ({ kid }: JWTHeaderParameters) => {
      const key = keys.find(({ id }) => id === kid);
      if (key === undefined) throw new errors.JWKSNoMatchingKey();
      return key.public;
    };
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        issuer: ourIssuer,
        audience: service,
        algorithms: [algorithm],
        typ,
        requiredClaims: typ === accessType ? ["sub", "iat", "exp"] : ["sub", "iat"],
        currentDate: new Date(now),
      });
      return payload;
    } catch (error) {
      throw new AuthenticationError(reasonOf(error));
    }
  }

  async #pairs(): Promise<readonly KeyPair[]> {
    // Only the result is shared between requests: a promise would die with the request that began it.
    this.#keys ??= await Promise.all(this.#secrets.map(importTokenKey));
    return this.#keys;
  }
}
