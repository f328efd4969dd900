import { digestOf } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { BufferPool } from "./buffers.ts";
import { putDataIfAbsent } from "./data.ts";
import { createSegment } from "./segments.ts";
import type { Store } from "./store.ts";
import { type UploadState, withSegment } from "./upload-state.ts";

/** The outcome of an append: the state after it, or that another request was first at this offset. */
export type Append = UploadState | "conflict";

/** Appends a body of known length as one segment, straight from the request. */
export async function appendStream(
  store: Store,
  name: RepositoryName,
  state: UploadState,
  body: ReadableStream,
  size: number,
): Promise<Append> {
  const created = await createSegment(store, name, state.session, state.offset, body);
  return created ? withSegment(state, size) : "conflict";
}

/**
 * Appends a body that may well be the whole blob: it is hashed and stored under its digest at once, and the
 * segment only names it, which spares the closing PUT a second pass. Should more follow, nothing is lost.
 */
export async function appendWhole(
  store: Store,
  name: RepositoryName,
  state: UploadState,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Append> {
  if (bytes.byteLength === 0) return state;
  const stored = await digestOf(bytes, state.algorithm ?? "sha256");
  await putDataIfAbsent(store, stored, bytes);
  const size = bytes.byteLength;
  const metadata = { stored, size: String(size) };
  const created = await createSegment(store, name, state.session, state.offset, "", metadata);
  return created ? { ...withSegment(state, size), stored } : "conflict";
}

/**
 * Appends a body of unknown length: one buffer after another is filled and put as a segment of its own, so that
 * a cut connection leaves a prefix from which the upload goes on.
 * @param maxSegments number of segments that an upload may have.
 * @throws RegistryError 413 when they are used up, SIZE_INVALID (499) when the body breaks off, 503 when no buffer
 *   gets free. What is stored by then stays.
 */
export function appendUnsized(
  store: Store,
  pool: BufferPool,
  name: RepositoryName,
  state: UploadState,
  body: ReadableStream,
  maxSegments: number,
): Promise<Append> {
  return pool.use(async (lease) => {
    const reader = body.getReader({ mode: "byob" });
    try {
      let after: Append = state;
      for (;;) {
        const bytes = await lease.fill(reader);
        const isLast = bytes.byteLength < pool.size;
        if (isLast && after.offset === 0) return await appendWhole(store, name, after, bytes);
        if (bytes.byteLength > 0) {
          refuseTooManySegments(after, maxSegments);
          after = await appendBytes(store, name, after, bytes);
        }
        if (isLast || after === "conflict") return after;
      }
    } finally {
      reader.releaseLock();
    }
  });
}

/** @throws RegistryError 413 when the upload has as many segments as it may have. */
export function refuseTooManySegments(state: UploadState, maxSegments: number): void {
  if (state.count >= maxSegments) throw tooManySegments(maxSegments);
}

export function tooManySegments(maxSegments: number): RegistryError {
  return new RegistryError("BLOB_UPLOAD_INVALID", {
    status: 413,
    message: `an upload has at most ${maxSegments} chunks: send larger ones`,
  });
}

async function appendBytes(
  store: Store,
  name: RepositoryName,
  state: UploadState,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Append> {
  const created = await createSegment(store, name, state.session, state.offset, bytes);
  return created ? withSegment(state, bytes.byteLength) : "conflict";
}
