import type { RegistryContext } from "../handlers/context.ts";
import { errorResponse, reported } from "../handlers/errors.ts";
import { names, parseAccept } from "../oci/accept.ts";
import { RegistryError } from "../oci/error.ts";
import { assetPaths } from "./assets/assets.ts";
import type { Content, PageMaker, Redirect } from "./content.ts";
import { Document } from "./document.tsx";
import { ErrorMessage } from "./error-message.tsx";
import { readCheckedForm } from "./form.ts";
import { SignInForm } from "./sign-in-form.tsx";
import { canSignIn, type Visitor, visitorOf } from "./visitor.ts";

/**
 * Nothing but what this Worker serves, and no script or style inside a page: a label that became markup would find
 * nothing to do.
 */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const securityHeaders = {
  "Content-Security-Policy": policy,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
} as const;

/**
 * The handler of a page: finds out who looks, checks what a POST brings, and frames what `make` shows. What goes
 * wrong is a page too, with the status of the error.
 */
export function page(make: PageMaker): (c: RegistryContext) => Promise<Response> {
  return async (c) => {
    if (!c.var.registry.config.webUi) return errorResponse(new RegistryError("UNSUPPORTED", { status: 404 }));
    let visitor: Visitor | undefined;
    try {
      visitor = await visitorOf(c);
      c.set("access", visitor.access);
      const form = await readCheckedForm(c, visitor);
      return await answer(c, visitor, await make({ c, visitor, form }));
    } catch (error) {
      c.error = error instanceof Error ? error : new Error(String(error));
      return answer(c, visitor, failure(c, visitor, reported(error)));
    }
  };
}

/** The same for a browser, which asks for HTML by name; `other` for everybody else, and without web pages. */
export function pageOr(
  make: PageMaker,
  other: (c: RegistryContext) => Response,
): (c: RegistryContext) => Response | Promise<Response> {
  const show = page(make);
  return (c) => {
    const isBrowser = names(parseAccept(c.req.header("Accept") ?? null), "text/html");
    return isBrowser && c.var.registry.config.webUi ? show(c) : other(c);
  };
}

async function answer(
  c: RegistryContext,
  visitor: Visitor | undefined,
  made: Content | Redirect,
): Promise<Response> {
  if ("location" in made) {
    return c.body(null, 303, { ...securityHeaders, Location: made.location, "Cache-Control": "no-store" });
  }
  const markup = <Document c={c} visitor={visitor} content={made} assets={await assetPaths()} />;
  const body = new Uint8Array(new TextEncoder().encode(`<!doctype html>${await markup.toString()}`));
  return c.body(body, (made.status ?? 200) as 200, {
    ...securityHeaders,
    "Content-Type": "text/html; charset=utf-8",
    // An answer to HEAD loses the body, and with it the length that the runtime would count.
    "Content-Length": String(body.byteLength),
    "Cache-Control": "no-store",
    Vary: "Cookie, Accept",
    ...made.headers,
  });
}

/** What a page shows instead. Who may sign in, and has not, is asked to. */
function failure(c: RegistryContext, visitor: Visitor | undefined, error: RegistryError): Content {
  const { status } = error;
  const retryAfter = error.headers["Retry-After"];
  const headers = retryAfter === undefined ? {} : { "Retry-After": retryAfter };
  if (status === 401 && visitor !== undefined && visitor.session === undefined) {
    const next = c.req.method === "GET" ? c.req.path + c.var.url.search : "/";
    const isPossible = c.var.registry.auth.takesCredentials && canSignIn(c);
    return {
      title: "Sign in",
      status,
      // Browsers know no such scheme, and leave it to the form.
      headers: { "WWW-Authenticate": 'Form realm="skerry"' },
      body: <SignInForm next={next} possible={isPossible} message="" name="" />,
    };
  }
  return { title: "Error", status, headers, body: <ErrorMessage error={error} /> };
}
