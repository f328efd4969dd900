import { RegistryError } from "./error.ts";

const maxDetailLength = 256;

/** What a client sent, cut to 256 UTF-16 code units: error details must not echo megabytes. */
export function clip(text: string): string {
  return text.slice(0, maxDetailLength);
}

/** MANIFEST_INVALID (400) whose `detail` says what is wrong (A52-A56, D.1). */
export function manifestInvalid(detail: string): RegistryError {
  return new RegistryError("MANIFEST_INVALID", { detail: clip(detail) });
}
