import { RegistryError } from "../oci/error.ts";
import { jsonResponse } from "./json.ts";

/**
 * Turns what a handler threw into an answer: the only place that writes errors. Whatever is not a RegistryError
 * is logged and answered without a word about the inside.
 */
export function errorResponse(error: unknown): Response {
  const known = reported(error);
  const text = `${JSON.stringify({ errors: known.entries })}\n`;
  return jsonResponse(text, { "Cache-Control": "no-store", ...known.headers }, known.status);
}

/** The error that may be told to the client; what may not is logged. */
export function reported(error: unknown): RegistryError {
  if (!(error instanceof RegistryError)) {
    console.error("request failed", error);
    return new RegistryError("UNKNOWN");
  }
  if (error.cause !== undefined) console.warn(error.message, error.cause);
  return error;
}
