import { parseContentRange } from "../oci/content-range.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { type Append, appendStream, appendUnsized, appendWhole } from "../storage/segments.ts";
import type { UploadState } from "../storage/upload-state.ts";
import { contentLength } from "./body.ts";
import type { RegistryContext } from "./context.ts";
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
 *   two headers disagree, BLOB_UPLOAD_INVALID (400) for a malformed range.
 */
export async function expectChunk(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
): Promise<Chunk> {
  const announced = contentLength(c.req.raw);
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

/**
 * Appends the body of the request to the session.
 * @throws RegistryError 416 when another request was first, SIZE_INVALID (400) when the body is not as long as
 *   announced, 413 when the upload has too many chunks, 503 when no buffer gets free.
 */
export async function appendBody(
  c: RegistryContext,
  name: RepositoryName,
  chunk: Chunk,
): Promise<UploadState> {
  const { state } = chunk;
  const { body } = c.req.raw;
  if (body === null || chunk.size === 0) return state;
  refuseTooManySegments(c, state);
  const after = await append(c, name, chunk, body);
  if (after === "conflict") throw await outOfOrder(c, name, state);
  return after;
}

async function append(
  c: RegistryContext,
  name: RepositoryName,
  { size, isPlaced, state }: Chunk,
  body: ReadableStream,
): Promise<Append> {
  const { store, buffers, config } = c.var.registry;
  if (size === undefined || size > config.singlePutLimit) {
    return appendUnsized(store, buffers, name, state, body);
  }
  // The first chunk of several is not worth hashing; a body without a place may well be the whole blob.
  if (size <= smallBody && state.offset === 0 && !isPlaced) {
    return appendWhole(store, name, state, new Uint8Array(await new Response(body).arrayBuffer()));
  }
  if (contentLength(c.req.raw) !== undefined) return appendStream(store, name, state, body, size);
  const { readable, writable } = new FixedLengthStream(size);
  const [piped, appended] = await Promise.allSettled([
    body.pipeTo(writable),
    appendStream(store, name, state, readable, size),
  ]);
  if (piped.status === "rejected") {
    throw new RegistryError("SIZE_INVALID", { cause: piped.reason });
  }
  if (appended.status === "rejected") throw appended.reason;
  return appended.value;
}

function refuseTooManySegments(c: RegistryContext, state: UploadState): void {
  const { maxSegments } = c.var.registry.config;
  const count = state.runs?.reduce((sum, [, times]) => sum + times, 0) ?? 0;
  if (count < maxSegments) return;
  throw new RegistryError("BLOB_UPLOAD_INVALID", {
    status: 413,
    message: `an upload has at most ${maxSegments} chunks: send larger ones`,
  });
}
