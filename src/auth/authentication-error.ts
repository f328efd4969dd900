import { errors } from "jose";
import { RegistryError } from "../oci/error.ts";

/** Credentials that were sent and are not good. The reason is for the log, never for the client. */
export class AuthenticationError extends Error {}

/**
 * Why a token was not good, in words that hold nothing of it.
 * @throws what is no verdict on the token, such as a RegistryError 503.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof errors.JOSEError) return error.code;
  // jose reports input that it cannot even look at so, such as a key of the wrong type for the algorithm.
  if (error instanceof TypeError || error instanceof DOMException) return "malformed token";
  if (error instanceof AuthenticationError) return error.message;
  throw error instanceof RegistryError ? error : new Error("a token could not be checked", { cause: error });
}
