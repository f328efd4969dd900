import { RegistryError } from "../oci/error.ts";
import type { RegistryContext } from "./context.ts";
import { jsonResponse } from "./json.ts";

/**
 * The parameters `n` (0 and more; undefined: the client does not say) and `last` of a listing.
 * @throws RegistryError 400 for an `n` that is no such number (F6).
 */
export function pageParams(c: RegistryContext): { n: number | undefined; last: string | undefined } {
  const text = c.req.query("n") || undefined;
  const last = c.req.query("last") || undefined;
  if (text === undefined) return { n: undefined, last };
  const n = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (n === undefined) {
    throw new RegistryError("UNSUPPORTED", {
      status: 400,
      message: "invalid number of results requested",
      detail: { n: text.slice(0, 64) },
    });
  }
  return { n, last };
}

/** Where the page after this one begins; `query` is what else its URL must say. */
export interface NextPage {
  readonly n: number | undefined;
  readonly last: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
}

/** A listing, with a `Link` to the page after `next.last` if there is one (RFC 8288). */
export function jsonPage(c: RegistryContext, body: unknown, next: NextPage | undefined): Response {
  const headers: Record<string, string> = { "Cache-Control": "no-cache, no-transform" };
  if (next?.last !== undefined) {
    const query = new URLSearchParams({ last: next.last, ...next.query });
    if (next.n !== undefined) query.set("n", String(next.n));
    headers.Link = linkTo(c, query);
  }
  return jsonResponse(`${JSON.stringify(body)}\n`, headers);
}

/** The value of `Link` for the page of this listing that `query` asks for (RFC 8288). */
export function linkTo(c: RegistryContext, query: URLSearchParams): string {
  return `<${c.req.path}?${query}>; rel="next"`;
}
