import { errors, jwtVerify, SignJWT } from "jose";
import { type Digest, tryParseDigest } from "../oci/digest.ts";
import type { Store } from "../storage/store.ts";
import type { UploadKey } from "../storage/upload-key.ts";
import { AuthenticationError, reasonOf } from "./authentication-error.ts";
import type { TokenKey } from "./token-key.ts";
import { ourIssuer } from "./tokens.ts";

/** Seconds that a session lives at most. */
export const sessionLifetime = 8 * 3600;

/** HMAC with a key that nobody but this registry has: what is checked here is also made here. */
const algorithm = "HS256";
/** Keeps a session from being taken for a token, and a token for a session. */
const sessionType = "session+jwt";

/** Somebody's session of the web pages. */
export interface Session {
  /** Random; pages put it into their forms, where another site's page could not. */
  readonly id: string;
  readonly account: string;
  /** Hash of the key with which he signed in. */
  readonly hash: Digest;
}

/** Makes and checks the sessions of the web pages. */
export class Sessions {
  readonly #tokenKey: TokenKey | undefined;
  readonly #uploadKey: UploadKey;
  #key: Uint8Array | undefined;

  /**
   * The key of sessions is derived from the key that signs tokens, else from that of uploads. A session also names
   * the hash of the account's key, which for accounts of the configuration is nowhere in the bucket: whoever reads
   * the bucket's upload key still makes no session of theirs.
   */
  constructor(tokenKey: TokenKey | undefined, uploadKey: UploadKey) {
    this.#tokenKey = tokenKey;
    this.#uploadKey = uploadKey;
  }

  /** A session from now on, as text for a cookie. @param service the host that it is for. */
  async issue(store: Store, account: string, hash: Digest, service: string): Promise<string> {
    const seconds = Math.floor(store.clock.now() / 1000);
    return new SignJWT({ sub: account, key: hash })
      .setProtectedHeader({ alg: algorithm, typ: sessionType })
      .setIssuer(ourIssuer)
      .setAudience(service)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + sessionLifetime)
      .setJti(crypto.randomUUID())
      .sign(await this.#secret(store));
  }

  /**
   * The session that a cookie holds.
   * @throws AuthenticationError for one that is not ours, not for `service`, or over.
   */
  async verify(store: Store, text: string, service: string): Promise<Session> {
    const secret = await this.#secret(store);
    try {
      const { payload } = await jwtVerify(text, secret, {
        issuer: ourIssuer,
        audience: service,
        algorithms: [algorithm],
        typ: sessionType,
        requiredClaims: ["sub", "iat", "exp", "jti", "key"],
        currentDate: new Date(store.clock.now()),
      });
      const hash = typeof payload.key === "string" ? tryParseDigest(payload.key) : undefined;
      if (hash === undefined) throw new errors.JWTInvalid("malformed session");
      return { id: payload.jti ?? "", account: payload.sub ?? "", hash };
    } catch (error) {
      throw new AuthenticationError(reasonOf(error));
    }
  }

  async #secret(store: Store): Promise<Uint8Array> {
    // Only the result is shared between requests: a promise would die with the request that began it.
    this.#key ??= await derived(
      this.#tokenKey === undefined
        ? await this.#uploadKey.bytes(store)
        : new Uint8Array(new TextEncoder().encode(this.#tokenKey.d)),
    );
    return this.#key;
  }
}

async function derived(secret: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode("skerry web session");
  const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256));
}
