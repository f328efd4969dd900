import { compatibilityDate, version } from "../version.ts";
import type { RegistryContext } from "./context.ts";
import { jsonResponse } from "./json.ts";

const noStore = { "Cache-Control": "no-store" };

/** GET `/livez`: the Worker runs, and its configuration is good. Asks nobody. */
export function getLiveness(_c: RegistryContext): Response {
  return jsonResponse('{"status":"ok"}', noStore);
}

/**
 * GET `/readyz` (docs/operations.md "Watch"): whether R2 and KV answered within two seconds, which an isolate asks
 * them every five seconds at most; 503, and which one did not, if not.
 */
export async function getReadiness(c: RegistryContext): Promise<Response> {
  const { readiness, store } = c.var.registry;
  const answer = await readiness.check(store);
  const isReady = !Object.values(answer).includes("failed");
  const body = { status: isReady ? "ok" : "failed", ...answer };
  return jsonResponse(JSON.stringify(body), noStore, isReady ? 200 : 503);
}

/** GET `/version`: which Skerry this is, and the Workers runtime's behaviour that it is built for. */
export function getVersion(_c: RegistryContext): Response {
  return jsonResponse(JSON.stringify({ name: "skerry", version, compatibilityDate }), noStore);
}
