import type { MiddlewareHandler } from "hono";
import type { AppEnv, RegistryContext } from "./context.ts";

const maxText = 512;
const refusals: readonly number[] = [401, 403, 429];

/**
 * Writes a line of JSON for every write, delete and refusal: who did what, and what came of it. The query is left
 * out, since that of an upload URL is a signed permission to write, and so is every header but the address.
 */
export const audit: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const event = eventOf(c);
  if (event === undefined) return;
  const { registry, access, refusal } = c.var;
  const line = {
    audit: event,
    at: new Date(registry.store.clock.now()).toISOString(),
    caller: clip(access?.caller.name ?? "unknown"),
    scheme: access?.caller.scheme,
    method: c.req.method,
    path: clip(c.req.path),
    status: c.res.status,
    reason: refusal,
    address: c.req.header("CF-Connecting-IP"),
    ray: c.req.header("CF-Ray"),
  };
  registry.log(JSON.stringify(line));
};

function eventOf(c: RegistryContext): "write" | "delete" | "refusal" | undefined {
  if (refusals.includes(c.res.status)) return "refusal";
  if (c.res.status >= 400 || c.req.path === "/token") return undefined;
  if (c.req.method === "DELETE") return "delete";
  return ["POST", "PUT", "PATCH"].includes(c.req.method) ? "write" : undefined;
}

function clip(text: string): string {
  return text.slice(0, maxText);
}
