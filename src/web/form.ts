import { readLimited } from "../handlers/body.ts";
import type { RegistryContext } from "../handlers/context.ts";
import { absoluteUrl } from "../handlers/location.ts";
import { RegistryError } from "../oci/error.ts";
import type { Visitor } from "./visitor.ts";

/** Bytes of a form at most. */
const maxForm = 16 * 1024;

/** The field of a form that says which session it was made for. */
export const sessionField = "session";

/**
 * The fields of a POST, once it is certain that a page of ours sent it: the browser says so (`Sec-Fetch-Site`, or
 * the `Origin` of older ones), and the form names the session. Without a session there is only the first, which is
 * enough: such a request may do no more than anybody's.
 * @throws RegistryError DENIED (403) for another site's, 400 for what is no form.
 */
export async function readCheckedForm(c: RegistryContext, visitor: Visitor): Promise<URLSearchParams> {
  if (c.req.method !== "POST") return new URLSearchParams();
  if (!isFromHere(c)) throw denied("the form was not sent by a page of this registry");
  const type = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  const isForm = type === "application/x-www-form-urlencoded";
  const bytes = isForm ? await readLimited(c.req.raw, maxForm) : undefined;
  if (bytes === undefined)
    throw new RegistryError("UNSUPPORTED", { status: 400, message: "a form expected" });
  const form = new URLSearchParams(new TextDecoder().decode(bytes));
  if (visitor.session !== undefined && form.get(sessionField) !== visitor.session.id) {
    throw denied("the form is of another session: go back, load the page again, and repeat");
  }
  return form;
}

function isFromHere(c: RegistryContext): boolean {
  const site = c.req.header("Sec-Fetch-Site");
  if (site !== undefined) return site === "same-origin";
  const origin = c.req.header("Origin");
  return origin !== undefined && [c.var.url.origin, absoluteUrl(c, "")].includes(origin);
}

function denied(message: string): RegistryError {
  return new RegistryError("DENIED", { message });
}
