import { RegistryError } from "../oci/error.ts";

/**
 * Turns what a handler threw into an answer: the only place that writes errors. Whatever is not a RegistryError
 * is logged and answered without a word about the inside.
 */
export function errorResponse(error: unknown): Response {
  const known = error instanceof RegistryError ? error : new RegistryError("UNKNOWN");
  if (!(error instanceof RegistryError)) console.error("request failed", error);
  else if (error.cause !== undefined) console.warn(error.message, error.cause);
  const body = new TextEncoder().encode(`${JSON.stringify({ errors: known.entries })}\n`);
  return new Response(body, {
    status: known.status,
    headers: {
      "Content-Type": "application/json",
      // Said here because an answer to HEAD loses the body, and with it the length (P12).
      "Content-Length": String(body.byteLength),
      "Cache-Control": "no-store",
      ...known.headers,
    },
  });
}
