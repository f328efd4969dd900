import type { JWTPayload } from "jose";
import * as v from "valibot";
import { tryParseRepositoryName } from "../oci/name.ts";
import { matchesWildcard } from "../oci/wildcard.ts";
import type { Fetch } from "../storage/ports.ts";
import { AuthenticationError } from "./authentication-error.ts";
import { type Grant, grantsSchema } from "./grants.ts";
import { claimedIssuer, type Issuer, IssuerVerifier, issuerFields } from "./issuer.ts";
import { readSecretJson } from "./secret-json.ts";

/** Who is let in by an identity token: whoever has all these claims gets these grants. */
export interface IdentityRule {
  /** Claims by name, with the value that each must have; `*` in it stands for any characters. */
  readonly claims: Readonly<Record<string, string>>;
  /** `{claim}` in a pattern stands for the value of the claim, in lower case. */
  readonly grants: readonly Grant[];
}

/** An issuer of OpenID Connect identity tokens, such as GitHub Actions or GitLab, and its rules. */
export type IdentityIssuer = Issuer & { readonly rules: readonly IdentityRule[] };

const placeholder = /\{([A-Za-z0-9_]{1,64})\}/g;
const template = v.pipe(v.string(), v.regex(/^(?:[a-z0-9._/*-]|\{[A-Za-z0-9_]{1,64}\}){1,255}$/));

const schema = v.array(
  v.strictObject({
    ...issuerFields,
    rules: v.array(
      v.strictObject({
        claims: v.pipe(
          v.record(v.string(), v.pipe(v.string(), v.minLength(1))),
          v.check((claims) => Object.keys(claims).length > 0, "a rule without claims lets everybody in"),
        ),
        grants: grantsSchema(template),
      }),
    ),
  }),
);

/**
 * The issuers of IDENTITY_ISSUERS: `[{"issuer": "https://token.actions.githubusercontent.com", "audience":
 * "registry.example.com", "jwks": "https://token.actions.githubusercontent.com/.well-known/jwks", "rules":
 * [{"claims": {"repository_owner": "acme", "ref": "refs/heads/main"}, "grants": {"{repository}": "pull,push"}}]}]`.
 * @throws Error that says where it is wrong.
 */
export function parseIdentityIssuers(text: string): readonly IdentityIssuer[] {
  return readSecretJson(schema, text);
}

/** Lets in who has an identity token: no key is kept for him anywhere. */
export class Identities {
  readonly #issuers: ReadonlyMap<string, IdentityIssuer & { readonly verifier: IssuerVerifier }>;

  constructor(issuers: readonly IdentityIssuer[], fetch: Fetch) {
    this.#issuers = new Map(
      issuers.map((issuer) => [issuer.issuer, { ...issuer, verifier: new IssuerVerifier(issuer, fetch) }]),
    );
  }

  /**
   * Who has the identity token, and what the rules grant him.
   * @throws AuthenticationError for a token of nobody that is known, that is not good at `now` (Unix time in
   *   milliseconds), or whose claims no rule wants.
   */
  async verify(
    token: string,
    now: number,
  ): Promise<{ readonly name: string; readonly grants: readonly Grant[] }> {
    const issuer = this.#issuers.get(claimedIssuer(token) ?? "");
    if (issuer === undefined) throw new AuthenticationError("identity token of an unknown issuer");
    const claims = await issuer.verifier.verify(token, now);
    const matching = issuer.rules.filter((rule) => matches(rule, claims));
    if (matching.length === 0) throw new AuthenticationError("identity token that no rule wants");
    return {
      name: `${claims.iss}|${claims.sub ?? ""}`,
      grants: matching.flatMap((rule) => filledIn(rule.grants, claims)),
    };
  }
}

function matches({ claims: wanted }: IdentityRule, claims: JWTPayload): boolean {
  return Object.entries(wanted).every(([name, pattern]) => {
    const value = claimText(claims, name);
    return value !== undefined && matchesWildcard(pattern, value);
  });
}

/**
 * The grants with the claims put in. A grant whose claim is no repository name on its own is left out: a `*` in a
 * claim must not become a pattern.
 */
function filledIn(grants: readonly Grant[], claims: JWTPayload): readonly Grant[] {
  return grants.flatMap((grant) => {
    let isComplete = true;
    const repositories = grant.repositories.replace(placeholder, (_, name: string) => {
      const value = tryParseRepositoryName(claimText(claims, name)?.toLowerCase() ?? "");
      if (value === undefined) isComplete = false;
      return value ?? "";
    });
    return isComplete ? [{ ...grant, repositories }] : [];
  });
}

function claimText(claims: JWTPayload, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}
