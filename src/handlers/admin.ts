import { RegistryError } from "../oci/error.ts";
import type { RegistryContext } from "./context.ts";
import { refused } from "./refusal.ts";

/** @throws RegistryError UNAUTHORIZED (401) or DENIED (403) unless the caller is an admin. */
export function requireAdmin(c: RegistryContext): void {
  if (!c.var.access.admin) throw refused(c);
}

/**
 * A browser that has a password for this host sends JSON to it for no other site's page.
 * @throws RegistryError 400 for a request of another type.
 */
export function requireJson(c: RegistryContext): void {
  const type = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw malformed("Content-Type application/json expected");
}

/** Whether the query says `name=true`; not unless it says so. @throws RegistryError 400 for anything but true and false. */
export function flag(c: RegistryContext, name: string): boolean {
  const text = c.req.query(name) ?? "false";
  if (text !== "true" && text !== "false") throw malformed(`${name} is true or false`);
  return text === "true";
}

/** The 400 of a request to the admin API that cannot be understood. */
export function malformed(message: string): RegistryError {
  return new RegistryError("UNSUPPORTED", { status: 400, message });
}
