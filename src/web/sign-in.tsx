import { orRejected } from "../handlers/authentication.ts";
import type { RegistryContext } from "../handlers/context.ts";
import { RegistryError } from "../oci/error.ts";
import type { Content, PageRequest, Redirect } from "./content.ts";
import { paths } from "./paths.ts";
import { SignInForm } from "./sign-in-form.tsx";
import { beginSession, canSignIn, endSession } from "./visitor.ts";

/** GET `/-/sign-in`: the form. */
export async function showSignIn({ c }: PageRequest): Promise<Content> {
  return signIn(c, { next: ownPath(c.req.query("next")) });
}

/** POST `/-/sign-in`: takes name and key of an account or a robot, as Basic would, and begins a session. */
export async function postSignIn({ c, form }: PageRequest): Promise<Content | Redirect> {
  const { auth, store } = c.var.registry;
  const next = ownPath(form.get("next") ?? undefined);
  if (!canSignIn(c)) return signIn(c, { next, status: 400 });
  const name = form.get("name") ?? "";
  const begin = async () =>
    beginSession(c, await auth.login(store, { name, password: form.get("key") ?? "" }));
  try {
    await orRejected(c, begin(), () => new RegistryError("UNAUTHORIZED"));
  } catch (error) {
    if (!(error instanceof RegistryError) || error.status !== 401) throw error;
    return signIn(c, { next, name: name.slice(0, 64), status: 401, message: "Wrong account or key." });
  }
  return { location: next };
}

/** POST `/-/sign-out`: ends the session in this browser. */
export async function postSignOut({ c }: PageRequest): Promise<Redirect> {
  endSession(c);
  return { location: paths.home };
}

function signIn(
  c: RegistryContext,
  given: { next: string; name?: string; message?: string; status?: number },
): Content {
  const { next, name = "", message = "", status = 200 } = given;
  const possible = canSignIn(c) && c.var.registry.auth.takesCredentials;
  const body = <SignInForm next={next} possible={possible} message={message} name={name} />;
  const headers = status === 401 ? { "WWW-Authenticate": 'Form realm="skerry"' } : {};
  return { title: "Sign in", status, headers, body };
}

/** A path of these pages, so that no link leads through the sign-in to another site. */
function ownPath(path: string | undefined): string {
  const isOurs = path !== undefined && /^\/(?:\?|-\/|$)/.test(path) && !/[\\\p{Cc}]/u.test(path);
  return isOurs ? path : paths.home;
}
