import { AuthenticationError } from "../auth/authentication-error.ts";
import type { Identity } from "../auth/authenticator.ts";
import { parseAuthorization } from "../auth/authorization.ts";
import { grantedEntries, type Scope, tryParseScope } from "../auth/scope.ts";
import { tokenLifetime } from "../auth/tokens.ts";
import { RegistryError } from "../oci/error.ts";
import { orRejected } from "./authentication.ts";
import { readLimited } from "./body.ts";
import type { RegistryContext } from "./context.ts";
import { serviceOf } from "./location.ts";
import { passwordWanted } from "./refusal.ts";

/** Scopes in one request at most; clients ask for two or three. */
const maxScopes = 50;
/** Bytes of the form at most: an identity token, escaped, with a name and scopes. */
const maxForm = 64 * 1024;

/**
 * GET `/token` (the Docker token protocol): a token for `scope` with what the caller may do of it, he who logs in
 * by Basic, or everybody. `offline_token` is not heeded: its refresh token would take the place of the key in
 * docker's configuration, from which Kubernetes and others cannot use it.
 */
export async function getToken(c: RegistryContext): Promise<Response> {
  refuseWithoutKey(c);
  const scopes = (c.req.queries("scope") ?? []).flatMap(split);
  const service = checkedService(c, c.req.query("service"));
  return tokenResponse(c, await identityOf(c, c.req.header("Authorization")), scopes, service);
}

/**
 * POST `/token` (the Docker token protocol by OAuth 2): as GET, for a form with a password or a refresh token.
 * `access_type=offline` asks for a refresh token, which an account gets, but no identity token does.
 */
export async function postToken(c: RegistryContext): Promise<Response> {
  refuseWithoutKey(c);
  const form = await readForm(c);
  const service = checkedService(c, form.get("service") ?? undefined);
  const identity = await orRejected(c, grantee(c, form, service), passwordWanted);
  const isOffline = form.get("access_type") === "offline";
  return tokenResponse(c, identity, split(form.get("scope") ?? ""), service, isOffline);
}

async function identityOf(c: RegistryContext, authorization: string | undefined): Promise<Identity> {
  const { auth } = c.var.registry;
  if (authorization !== undefined) return orRejected(c, basicIdentity(c, authorization), passwordWanted);
  if (auth.everybody.length === 0) throw passwordWanted();
  return { name: "anonymous", grants: [], admin: false };
}

async function basicIdentity(c: RegistryContext, authorization: string): Promise<Identity> {
  const credentials = parseAuthorization(authorization);
  if ("token" in credentials) throw new AuthenticationError("a token where a password is wanted");
  const { auth, store } = c.var.registry;
  return auth.login(store, credentials);
}

async function grantee(c: RegistryContext, form: URLSearchParams, service: string): Promise<Identity> {
  const { auth, store } = c.var.registry;
  const grantType = form.get("grant_type");
  if (grantType === "password") {
    return auth.login(store, { name: form.get("username") ?? "", password: form.get("password") ?? "" });
  }
  if (grantType === "refresh_token") return auth.refresh(store, form.get("refresh_token") ?? "", service);
  throw invalid("grant_type is password or refresh_token");
}

async function tokenResponse(
  c: RegistryContext,
  identity: Identity,
  scopes: readonly string[],
  service: string,
  isOffline = false,
): Promise<Response> {
  const { auth, store } = c.var.registry;
  if (scopes.length > maxScopes) throw invalid(`at most ${maxScopes} scopes in one request`);
  const wanted = scopes
    .map(tryParseScope)
    .filter((scope): scope is Scope => scope !== undefined)
    .map((scope) => named(c, scope));
  const entries = grantedEntries(wanted, [...identity.grants, ...auth.everybody], identity.admin);
  const now = store.clock.now();
  const token = await auth.tokens.issue({ subject: identity.name, entries }, service, now);
  const body = {
    token,
    access_token: token,
    expires_in: tokenLifetime,
    issued_at: new Date(Math.floor(now / 1000) * 1000).toISOString(),
    ...(isOffline &&
      identity.hash !== undefined && {
        refresh_token: await auth.tokens.issueRefresh(identity.name, identity.hash, service, now),
      }),
  };
  return new Response(`${JSON.stringify(body)}\n`, {
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
  });
}

/** A client that takes this host for an upstream asks for that one's names; rights are for ours. */
function named(c: RegistryContext, scope: Scope): Scope {
  const { names } = c.var.registry.pullThrough;
  const scoping = names.scopingOf(c.req.raw);
  if (scope.type !== "repository" || scoping === "unknown") return scope;
  return { ...scope, name: names.nameOf(scope.name, scoping) };
}

async function readForm(c: RegistryContext): Promise<URLSearchParams> {
  const type = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw invalid("application/x-www-form-urlencoded expected");
  }
  const bytes = await readLimited(c.req.raw, maxForm);
  if (bytes === undefined) throw invalid("the form is too large");
  return new URLSearchParams(new TextDecoder().decode(bytes));
}

/** The service that the token is for. A client that names another one was sent here by somebody else. */
function checkedService(c: RegistryContext, named: string | undefined): string {
  const service = serviceOf(c);
  if (named !== undefined && named !== "" && named !== service) throw invalid("unknown service");
  return service;
}

function refuseWithoutKey(c: RegistryContext): void {
  if (c.var.registry.auth.tokens.enabled) return;
  throw new RegistryError("UNSUPPORTED", {
    status: 404,
    message: "this registry issues no tokens: TOKEN_KEY is not set (docs/security.md)",
  });
}

function split(scopes: string): string[] {
  return scopes.split(" ").filter((scope) => scope !== "");
}

function invalid(message: string): RegistryError {
  return new RegistryError("UNSUPPORTED", { status: 400, message });
}
