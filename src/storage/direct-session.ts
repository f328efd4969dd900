import { RegistryError } from "../oci/error.ts";
import { newUpload, type UploadState } from "./upload-state.ts";

/**
 * A direct session is one whose parts the client puts into the bucket himself, at URLs that the registry signed.
 * Its id is a UUID of version 8 (RFC 9562, 5.8), where those of other sessions are of version 4, so that its keys
 * tell it too.
 *
 * Every part begins with the id of its session, in ASCII. The id is random and the server's choice, so nothing
 * that was in the bucket before begins with it: a client who gets R2 to copy an object to the key of his part, by
 * a header that the URL does not sign, has not shown that he knows the object's bytes.
 */

/** Bytes that come before the content of each part. */
export const preambleLength = 36;

/** Where in the text of a UUID its version stands. */
const versionAt = 14;

/** A direct session that has received nothing. */
export function newDirectUpload(now: number): UploadState {
  const { session, ...rest } = newUpload(now);
  return { ...rest, session: `${session.slice(0, versionAt)}8${session.slice(versionAt + 1)}` };
}

/** Whether the parts of the session go straight to the bucket. */
export function isDirect(session: string): boolean {
  return session[versionAt] === "8";
}

/**
 * The content of a part: what follows the id of its session.
 * @param body bytes of the object, from its beginning.
 * @throws RegistryError BLOB_UPLOAD_INVALID (400) if it begins otherwise.
 */
export async function contentOfPart(body: ReadableStream, session: string): Promise<ReadableStream> {
  const reader = body.getReader({ mode: "byob" });
  const { value } = await reader.readAtLeast(preambleLength, new Uint8Array(preambleLength));
  reader.releaseLock();
  if (new TextDecoder().decode(value) === session) return body;
  await body.cancel();
  throw new RegistryError("BLOB_UPLOAD_INVALID", {
    message: "a part does not begin with the id of its upload session",
  });
}
