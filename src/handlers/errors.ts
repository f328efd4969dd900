import { RegistryError } from "../oci/error.ts";
import { jsonResponse } from "./json.ts";

/**
 * Turns what a handler threw into an answer: the only place that writes errors. Whatever is not a RegistryError
 * is logged and answered without a word about the inside.
 */
export function errorResponse(error: unknown): Response {
  const known = error instanceof RegistryError ? error : new RegistryError("UNKNOWN");
  if (!(error instanceof RegistryError)) console.error("request failed", error);
  else if (error.cause !== undefined) console.warn(error.message, error.cause);
  const text = `${JSON.stringify({ errors: known.entries })}\n`;
  return jsonResponse(text, { "Cache-Control": "no-store", ...known.headers }, known.status);
}
