import type { RegistryContext } from "./context.ts";
import { refused } from "./refusal.ts";

/**
 * GET `/v2/` (end-1, P8): says that this is a registry, to those it admits. Clients ask here whether they need to
 * log in, so it is refused to those who could, even if much is public.
 */
export function getBase(c: RegistryContext): Response {
  if (c.var.access.mustLogIn) throw refused(c);
  return new Response("{}", {
    headers: { "Content-Type": "application/json", "Cache-Control": "no-cache, no-transform" },
  });
}
