import { decodeJwt, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import * as v from "valibot";
import type { Fetch } from "../storage/ports.ts";
import { AuthenticationError, reasonOf } from "./authentication-error.ts";
import { createKeySet, keySource } from "./key-set.ts";

/** Characters of a token at most; those of GitHub and GitLab have two to three thousand. */
export const maxTokenLength = 16 * 1024;

/** Seconds by which the clock of another issuer may differ from ours (G.4). */
const clockTolerance = 60;

/** Algorithms with a public key: with any other, who can check a token can make one. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

/** What has to be known of an issuer to check its tokens. */
export const issuerFields = {
  issuer: v.pipe(v.string(), v.minLength(1)),
  audience: v.pipe(v.string(), v.minLength(1)),
  jwks: keySource,
  algorithms: v.optional(v.pipe(v.array(v.picklist(algorithms)), v.minLength(1)), ["RS256", "ES256"]),
};
const issuerSchema = v.object(issuerFields);
export type Issuer = v.InferOutput<typeof issuerSchema>;

/** Checks tokens of one other issuer. */
export class IssuerVerifier {
  readonly #issuer: Issuer;
  readonly #keys: JWTVerifyGetKey;

  constructor(issuer: Issuer, fetch: Fetch) {
    this.#issuer = issuer;
    this.#keys = createKeySet(issuer.jwks, fetch);
  }

  /**
   * The claims of a token that is valid at `now` (Unix time in milliseconds). A key that the token itself brings
   * or points to (`jwk`, `x5c`, `jku`) is not looked at.
   * @throws AuthenticationError for every other token; RegistryError 503 if the issuer's keys cannot be had.
   */
  async verify(token: string, now: number): Promise<JWTPayload> {
    const { issuer, audience, algorithms } = this.#issuer;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ["exp"],
        clockTolerance,
        currentDate: new Date(now),
      });
      return payload;
    } catch (error) {
      throw new AuthenticationError(reasonOf(error));
    }
  }
}

/**
 * The issuer that a token names, which is yet to be proved.
 * @throws AuthenticationError if the text is no token, or too long.
 */
export function claimedIssuer(token: string): string | undefined {
  if (token.length > maxTokenLength) throw new AuthenticationError("token too long");
  try {
    return decodeJwt(token).iss;
  } catch (error) {
    throw new AuthenticationError(reasonOf(error));
  }
}
