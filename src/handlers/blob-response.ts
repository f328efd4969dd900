import { entityTag } from "../oci/conditional.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";

export const blobType = "application/octet-stream";

/** The headers of every answer about a blob (E1 to E4). */
export function blobHeaders(digest: Digest): Record<string, string> {
  return {
    "Content-Type": blobType,
    "Docker-Content-Digest": digest,
    ETag: entityTag(digest),
    "Accept-Ranges": "bytes",
    "Cache-Control": "max-age=31536000, immutable, no-transform",
  };
}

/** An answer whose length, in bytes, is told if it is known. */
export function blobResponse(
  body: ReadableStream | null,
  status: number,
  headers: Readonly<Record<string, string>>,
  length: number | undefined,
): Response {
  const known = length === undefined ? {} : { "Content-Length": String(length) };
  return new Response(body, { status, headers: { ...headers, ...known } });
}

/** The 416 for a range of a blob that is not there; `contentRange` tells the blob's size (RFC 9110, 15.5.17). */
export function unsatisfiable(contentRange: string): RegistryError {
  return new RegistryError("SIZE_INVALID", {
    status: 416,
    message: "the range lies outside the blob",
    headers: { "Content-Range": contentRange },
  });
}
