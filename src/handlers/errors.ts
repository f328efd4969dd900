import { RegistryError } from "../oci/error.ts";

/**
 * Turns what a handler threw into an answer: the only place that writes errors. Whatever is not a RegistryError
 * is logged and answered without a word about the inside.
 */
export function errorResponse(error: unknown): Response {
  const known = error instanceof RegistryError ? error : new RegistryError("UNKNOWN");
  if (!(error instanceof RegistryError)) console.error("request failed", error);
  else if (error.cause !== undefined) console.warn(error.message, error.cause);
  return new Response(`${JSON.stringify({ errors: known.entries })}\n`, {
    status: known.status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...known.headers },
  });
}
