import { formatScopes, type Scope } from "./scope.ts";

/** What a client is asked for with a 401. */
export interface Challenge {
  /** Where tokens are had, and for which service; undefined where there are none, and a password is wanted. */
  readonly tokens: { readonly realm: string; readonly service: string } | undefined;
  readonly scopes: readonly Scope[];
  /** Why a token that was sent is not enough (RFC 6750, section 3.1). */
  readonly error: "invalid_token" | "insufficient_scope" | undefined;
}

/**
 * A `WWW-Authenticate` header (G.4, M30): one challenge, its values quoted, its scopes sorted, no space after a
 * comma, since clients read it with expressions of their own.
 */
export function formatChallenge({ tokens, scopes, error }: Challenge): string {
  if (tokens === undefined) return 'Basic realm="skerry", charset="UTF-8"';
  const parameters = [
    ["realm", tokens.realm],
    ["service", tokens.service],
    ...(scopes.length > 0 ? [["scope", formatScopes(scopes)]] : []),
    ...(error === undefined ? [] : [["error", error]]),
  ];
  return `Bearer ${parameters.map(([name, value]) => `${name}="${quoted(value)}"`).join(",")}`;
}

function quoted(value = ""): string {
  return value.replaceAll(/["\\]/g, "\\$&");
}
