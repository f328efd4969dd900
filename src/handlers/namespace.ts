import type { MiddlewareHandler } from "hono";
import { RegistryError } from "../oci/error.ts";
import type { AppEnv } from "./context.ts";

/**
 * Tells a client that scopes its requests by `ns` which registry answered (distribution-spec, "Registry Proxying"),
 * and refuses the namespace of a registry that is no upstream of this one.
 */
export const namespace: MiddlewareHandler<AppEnv> = async (c, next) => {
  const scoping = c.var.registry.pullThrough.names.scopingOf(c.req.raw);
  if (scoping === "unknown") {
    throw new RegistryError("NAME_UNKNOWN", { message: "no upstream of this registry has that namespace" });
  }
  await next();
  if (scoping?.namespace !== undefined) c.res.headers.set("OCI-Namespace", scoping.namespace);
};
