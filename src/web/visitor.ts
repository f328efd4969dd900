import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { type Access, type Action, grantedAccess } from "../auth/access.ts";
import { AuthenticationError } from "../auth/authentication-error.ts";
import type { Identity } from "../auth/authenticator.ts";
import { everything } from "../auth/grants.ts";
import { type Session, sessionLifetime } from "../auth/sessions.ts";
import type { RegistryContext } from "../handlers/context.ts";
import { absoluteUrl, serviceOf } from "../handlers/location.ts";
import type { RepositoryName } from "../oci/name.ts";

/** Who looks at a page. */
export interface Visitor {
  readonly access: Access;
  /** undefined for who has not signed in. */
  readonly session: Session | undefined;
}

/** Who looks, by his cookie. A session that is over counts as none; a robot's costs a read. */
export async function visitorOf(c: RegistryContext): Promise<Visitor> {
  const { auth, store, sessions } = c.var.registry;
  const cookie = getCookie(c, cookieOf(c).name);
  if (cookie !== undefined) {
    try {
      const session = await sessions.verify(store, cookie, serviceOf(c));
      const { name, grants, admin } = await auth.holder(store, session);
      const access = grantedAccess({ name, scheme: "session" }, [...grants, ...auth.everybody], admin);
      return { access, session };
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error;
    }
  }
  return { access: await auth.authenticate(store, undefined, serviceOf(c)), session: undefined };
}

/**
 * Whether the visitor's requests may cost more than a pull: lists of many repositories. Those who signed in, or
 * everybody where everybody may do everything.
 */
export function isTrusted(c: RegistryContext, { session }: Visitor): boolean {
  return session !== undefined || c.var.registry.auth.everybody === everything;
}

/** Whether a page offers the visitor a write; what it leads to asks again. */
export function offers(c: RegistryContext, name: RepositoryName, action: Exclude<Action, "pull">): boolean {
  const { config, isPullThrough } = c.var.registry;
  if (config.readOnly || isPullThrough(name) || (action === "delete" && !config.deleteEnabled)) return false;
  return c.var.access.allows(name, action);
}

/**
 * Begins a session with the answer that `c` makes.
 * @throws AuthenticationError for an identity without a key, whose end nobody would notice.
 */
export async function beginSession(c: RegistryContext, { name, hash }: Identity): Promise<void> {
  if (hash === undefined) throw new AuthenticationError("an identity token gets no session");
  const { sessions, store } = c.var.registry;
  const cookie = cookieOf(c);
  const value = await sessions.issue(store, name, hash, serviceOf(c));
  setCookie(c, cookie.name, value, { ...cookie.attributes, maxAge: sessionLifetime });
}

/** Ends the session in this browser. */
export function endSession(c: RegistryContext): void {
  const cookie = cookieOf(c);
  deleteCookie(c, cookie.name, cookie.attributes);
}

/** Whether a browser would keep a session's cookie: over https, or from its own machine. */
export function canSignIn(c: RegistryContext): boolean {
  return isEncrypted(c) || isOwnMachine(c);
}

/** Strict would show links from other sites as to a stranger; every POST is checked besides. */
function cookieOf(c: RegistryContext) {
  const secure = isEncrypted(c) || !isOwnMachine(c);
  const attributes = { path: "/", httpOnly: true, sameSite: "Lax", secure } as const;
  return { name: secure ? "__Host-skerry" : "skerry", attributes };
}

function isEncrypted(c: RegistryContext): boolean {
  return absoluteUrl(c, "/").startsWith("https:");
}

function isOwnMachine(c: RegistryContext): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(absoluteUrl(c, "/")).hostname);
}
