import type { Credentials } from "./upstream.ts";

/** The `Authorization` of credentials by Basic, in UTF-8 (RFC 7617). */
export function basic({ username, password }: Credentials): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
