import { type Challenge, formatChallenge } from "../auth/challenge.ts";
import type { Scope } from "../auth/scope.ts";
import { RegistryError } from "../oci/error.ts";
import type { RegistryContext } from "./context.ts";
import { absoluteUrl, serviceOf } from "./location.ts";
import { routeScopes } from "./route-scopes.ts";

/**
 * The answer to a caller who may not do what the request asks: 401 with a challenge for who sent nothing, or a
 * token that does not reach so far (clients then get one that does), and 403 for an account, which has no more to
 * give. It is the same whether or not there is such a repository.
 * @param besides scopes that the request needs besides those of its route.
 */
export function refused(c: RegistryContext, besides: readonly Scope[] = []): RegistryError {
  const { scheme } = c.var.access.caller;
  const scopes = [...routeScopes(c), ...besides];
  if (scheme === "basic" || scheme === "session")
    return new RegistryError("DENIED", { detail: detailOf(scopes) });
  return unauthorized(c, scopes, scheme === "bearer" ? "insufficient_scope" : undefined);
}

/** The 401 for credentials that are not good. What is wrong with them is not said. */
export function rejected(c: RegistryContext): RegistryError {
  return unauthorized(c, routeScopes(c), "invalid_token");
}

/** The 401 of the token endpoint: a password is wanted. */
export function passwordWanted(): RegistryError {
  const challenge = formatChallenge({ tokens: undefined, scopes: [], error: undefined });
  return new RegistryError("UNAUTHORIZED", { headers: { "WWW-Authenticate": challenge } });
}

function unauthorized(
  c: RegistryContext,
  scopes: readonly Scope[],
  error: Challenge["error"],
): RegistryError {
  const isTold = /^bearer\b/i.test(c.req.header("Authorization") ?? "");
  const challenge = formatChallenge({ tokens: tokenServer(c), scopes, error: isTold ? error : undefined });
  return new RegistryError("UNAUTHORIZED", {
    ...(!c.var.registry.auth.takesCredentials && {
      message:
        "nobody can log in to this registry: set ACCOUNTS and TOKEN_KEY, or ANONYMOUS (docs/security.md)",
    }),
    detail: detailOf(scopes),
    headers: { "WWW-Authenticate": challenge },
  });
}

/** Where clients get tokens: from another token server if one says where, else here if there is a key to sign with. */
function tokenServer(c: RegistryContext): Challenge["tokens"] {
  const { auth, config } = c.var.registry;
  const other = config.tokenIssuers.find(({ realm }) => realm !== undefined);
  if (other?.realm !== undefined) return { realm: other.realm, service: other.audience };
  return auth.tokens.enabled ? { realm: absoluteUrl(c, tokenPath(c)), service: serviceOf(c) } : undefined;
}

/**
 * Where tokens are had. Docker asks for names as it knows them, whatever the challenge says: whose they are goes
 * along, since the host may be another one there.
 */
function tokenPath(c: RegistryContext): string {
  const scoping = c.var.registry.pullThrough.names.scopingOf(c.req.raw);
  if (scoping === undefined || scoping === "unknown") return "/token";
  return `/token?ns=${encodeURIComponent(scoping.upstream.prefix)}`;
}

/** What would have had to be allowed, in the words of distribution (G.2); null if nothing in particular. */
function detailOf(scopes: readonly Scope[]) {
  if (scopes.length === 0) return null;
  return scopes.flatMap(({ type, name, actions }) =>
    actions.map((action) => ({ Type: type, Class: "", Name: name, Action: action })),
  );
}
