import { parseContentRange } from "../oci/content-range.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import {
  type Append,
  appendStream,
  appendUnsized,
  appendWhole,
  refuseTooManySegments,
} from "../storage/append.ts";
import { noteForCollection } from "../storage/catalog.ts";
import { isDirect } from "../storage/direct-session.ts";
import { relayedStream, sizedStream } from "../storage/fed-stream.ts";
import type { UploadState } from "../storage/upload-state.ts";
import { contentLength, readAll } from "./body.ts";
import { defer, type RegistryContext } from "./context.ts";
import { currentSession, outOfOrder } from "./upload-session.ts";

/** Bodies of known length up to this many bytes are read into memory, hashed there and stored at once. */
export const smallBody = 1024 * 1024;

/** A chunk as its headers announce it. */
export interface Chunk {
  /** Bytes, or undefined when neither header tells. */
  readonly size: number | undefined;
  /** Whether the client says which stretch of the blob this is. */
  readonly isPlaced: boolean;
  /** The session, as the URL or, where that was behind, the bucket tells it. */
  readonly state: UploadState;
}

/**
 * Checks `Content-Range` and `Content-Length` of a chunk against the session (requirements 51 to 57, M23).
 * @throws RegistryError 416 with `Range` and `Location` for a chunk out of order, SIZE_INVALID (400) when the
 *   two headers disagree, BLOB_UPLOAD_INVALID (400) for a malformed range, or for any chunk of a session whose parts
 *   go straight to the bucket.
 */
export async function expectChunk(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
): Promise<Chunk> {
  const announced = contentLength(c.req.raw);
  if (isDirect(state.session) && announced !== 0) {
    throw new RegistryError("BLOB_UPLOAD_INVALID", {
      message: "the parts of this upload go to the URLs that were handed out for them",
    });
  }
  const range = parseContentRange(c.req.header("Content-Range") ?? null);
  if (range === undefined) return { size: announced, isPlaced: false, state };
  if (range === "reversed") throw await outOfOrder(c, name, state);
  const size = range.end - range.start + 1;
  if (announced !== undefined && announced !== size) {
    throw new RegistryError("SIZE_INVALID", { message: "Content-Range and Content-Length disagree" });
  }
  // A URL from before the last chunk is no reason to refuse the chunk that really is next.
  const current = range.start === state.offset ? state : (await currentSession(c, name, state)).state;
  if (range.start !== current.offset) throw await outOfOrder(c, name, state);
  return { size, isPlaced: true, state: current };
}

/** Whether the request has a body that is not known to be empty. */
export function hasBody(c: RegistryContext, chunk: Chunk): boolean {
  return c.req.raw.body !== null && chunk.size !== 0;
}

/**
 * Appends the body of the request to the session.
 * @returns the state after it, or "conflict" when another request was first at this offset.
 * @throws RegistryError SIZE_INVALID: 400 when the body is not as long as announced, 499 when it breaks off; 413 when
 *   the upload has too many chunks, 503 when no buffer gets free.
 */
export async function appendBody(
  c: RegistryContext,
  name: RepositoryName,
  { size, isPlaced, state }: Chunk,
): Promise<Append> {
  const { store, buffers, config } = c.var.registry;
  const { body } = c.req.raw;
  if (body === null) return state;
  refuseTooManySegments(state, config.maxSegments);
  // What an upload that is abandoned leaves is found by its repository alone.
  if (state.offset === 0) defer(c, () => noteForCollection(store, name));
  if (size === undefined || size > config.singlePutLimit) {
    return appendUnsized(store, buffers, name, state, body, config.maxSegments);
  }
  // The first chunk of several is not worth hashing; a body without a place may well be the whole blob.
  if (size <= smallBody && state.offset === 0 && !isPlaced) {
    return appendWhole(store, name, state, await readAll(c.req.raw));
  }
  const handOver = contentLength(c.req.raw) === undefined ? sizedStream : relayedStream;
  return handOver(body, size, (sized) => appendStream(store, name, state, sized, size));
}
