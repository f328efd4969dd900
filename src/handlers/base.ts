import type { RegistryContext } from "./context.ts";

/** GET `/v2/` (end-1, P8): says that this is a registry, to those it admits. */
export function getBase(_c: RegistryContext): Response {
  return new Response("{}", {
    headers: { "Content-Type": "application/json", "Cache-Control": "no-cache, no-transform" },
  });
}
