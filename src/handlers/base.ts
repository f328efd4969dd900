import type { RegistryContext } from "./context.ts";
import { jsonResponse } from "./json.ts";
import { refused } from "./refusal.ts";

/** GET `/` (P1): load balancers look here, and are not let in further. */
export function getRoot(_c: RegistryContext): Response {
  return new Response(null, { headers: { "Cache-Control": "no-cache", "Content-Length": "0" } });
}

/**
 * GET `/v2/` (end-1, P8): says that this is a registry, to those it admits. Clients ask here whether they need to
 * log in, so it is refused to those who could, even if much is public.
 */
export function getBase(c: RegistryContext): Response {
  if (c.var.access.mustLogIn) throw refused(c);
  return jsonResponse("{}", { "Cache-Control": "no-cache, no-transform" });
}
