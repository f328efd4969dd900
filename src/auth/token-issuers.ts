import * as v from "valibot";
import type { Fetch } from "../storage/ports.ts";
import { AuthenticationError } from "./authentication-error.ts";
import { claimedIssuer, type Issuer, IssuerVerifier, issuerFields } from "./issuer.ts";
import type { AccessEntry } from "./scope.ts";
import { readSecretJson } from "./secret-json.ts";
import { readEntries } from "./token-access.ts";
import { ourIssuer } from "./tokens.ts";

/** Another token server whose tokens are believed. */
export type TokenIssuer = Issuer & {
  /** Where clients get its tokens; without, they are told to get ours. */
  readonly realm?: string | undefined;
};

const schema = v.array(
  v.strictObject({
    ...issuerFields,
    issuer: v.pipe(issuerFields.issuer, v.notValue(ourIssuer)),
    realm: v.optional(v.pipe(v.string(), v.url())),
  }),
);

/**
 * The token servers of TOKEN_ISSUERS: `[{"issuer": "auth.example.com", "audience": "registry.example.com",
 * "jwks": "https://auth.example.com/keys", "realm": "https://auth.example.com/token"}]`.
 * @throws Error that says where it is wrong.
 */
export function parseTokenIssuers(text: string): readonly TokenIssuer[] {
  return readSecretJson(schema, text);
}

/** Checks tokens of the other token servers. */
export class TokenIssuers {
  readonly #verifiers: ReadonlyMap<string, IssuerVerifier>;

  constructor(issuers: readonly TokenIssuer[], fetch: Fetch) {
    this.#verifiers = new Map(issuers.map((issuer) => [issuer.issuer, new IssuerVerifier(issuer, fetch)]));
  }

  /**
   * Who has the token, and what it allows.
   * @throws AuthenticationError for a token of nobody that is known, or that is not good at `now` (Unix time in
   *   milliseconds).
   */
  async verify(
    token: string,
    now: number,
  ): Promise<{ readonly subject: string; readonly entries: readonly AccessEntry[] }> {
    const verifier = this.#verifiers.get(claimedIssuer(token) ?? "");
    if (verifier === undefined) throw new AuthenticationError("token of an unknown issuer");
    const claims = await verifier.verify(token, now);
    return { subject: `${claims.iss}|${claims.sub ?? ""}`, entries: readEntries(claims.access) };
  }
}
