import { type Digest, digestOf, tryParseDigest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { BufferLease, BufferPool } from "./buffers.ts";
import { putData } from "./data.ts";
import { createOnce } from "./register.ts";
import type { Store } from "./store.ts";
import { type UploadState, withSegment } from "./upload-state.ts";

/** A stretch of an unfinished upload. */
export interface Segment {
  readonly offset: number;
  /** Bytes; for a segment that only names stored content, the bytes of that content. */
  readonly size: number;
  /** Set when the segment is empty and its content lies under this digest already. */
  readonly stored?: Digest;
}

/** What the bucket holds of an upload session. */
export interface UploadProgress {
  readonly segments: readonly Segment[];
  /** Cancelled: nothing more can be appended. */
  readonly closed: boolean;
}

/** The outcome of an append: the state after it, or that another request was first at this offset. */
export type Append = UploadState | "conflict";

/** The segments that a state tells of, or undefined when they have to be listed. */
export function segmentsOf(state: UploadState): readonly Segment[] | undefined {
  if (state.runs === undefined) return undefined;
  const segments: Segment[] = [];
  let offset = 0;
  for (const [size, count] of state.runs) {
    for (let index = 0; index < count; index++) {
      const names = offset === 0 && state.stored !== undefined;
      segments.push({ offset, size, ...(names && { stored: state.stored }) });
      offset += size;
    }
  }
  return segments;
}

/** The segments of a session as the bucket has them, in order: one list for each page. */
export async function listSegments(
  store: Store,
  name: RepositoryName,
  session: string,
): Promise<UploadProgress> {
  const segments: Segment[] = [];
  let closed = false;
  let cursor: string | undefined;
  do {
    const page: R2Objects = await store.bucket.list({
      prefix: store.layout.segments(name, session),
      include: ["customMetadata"],
      ...(cursor !== undefined && { cursor }),
    });
    for (const object of page.objects) {
      const key = store.layout.parse(object.key);
      if (key?.kind !== "segment") continue;
      const { offset } = key;
      const metadata = object.customMetadata ?? {};
      const stored = tryParseDigest(metadata.stored ?? "");
      if (metadata.closed !== undefined) closed = true;
      else if (stored === undefined) segments.push({ offset, size: object.size });
      else segments.push({ offset, size: Number(metadata.size), stored });
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return { segments, closed };
}

/** The state that the bucket's view of the session amounts to. */
export function stateFrom(state: UploadState, segments: readonly Segment[]): UploadState {
  const { stored: _, ...rest } = state;
  const stored = segments[0]?.stored;
  const empty: UploadState = { ...rest, offset: 0, runs: [], ...(stored && { stored }) };
  return segments.reduce((sum, { size }) => withSegment(sum, size), empty);
}

/** Appends a body of known length as one segment, straight from the request. */
export async function appendStream(
  store: Store,
  name: RepositoryName,
  state: UploadState,
  body: ReadableStream,
  size: number,
): Promise<Append> {
  const key = store.layout.segment(name, state.session, state.offset);
  return (await createOnce(store, key, body)) ? withSegment(state, size) : "conflict";
}

/** Appends bytes at hand as one segment. */
export async function appendBytes(
  store: Store,
  name: RepositoryName,
  state: UploadState,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Append> {
  const key = store.layout.segment(name, state.session, state.offset);
  return (await createOnce(store, key, bytes)) ? withSegment(state, bytes.byteLength) : "conflict";
}

/**
 * Appends a body of unknown length: one buffer after another is filled and put as a segment of its own, so that
 * a cut connection leaves a prefix from which the upload goes on.
 */
export function appendUnsized(
  store: Store,
  pool: BufferPool,
  name: RepositoryName,
  state: UploadState,
  body: ReadableStream,
): Promise<Append> {
  return pool.use(async (lease) => {
    const reader = body.getReader({ mode: "byob" });
    const first = await lease.fill(reader);
    if (first.byteLength < pool.size && state.offset === 0) return appendWhole(store, name, state, first);
    return appendFrom(store, lease, name, state, reader, first);
  });
}

/** Goes on with an append whose first bytes were read already. */
export async function appendFrom(
  store: Store,
  lease: BufferLease,
  name: RepositoryName,
  state: UploadState,
  reader: ReadableStreamBYOBReader,
  first: Uint8Array<ArrayBuffer>,
): Promise<Append> {
  let after: Append = state;
  let bytes = first;
  while (bytes.byteLength > 0) {
    after = await appendBytes(store, name, after, bytes);
    if (after === "conflict") {
      await reader.cancel();
      return after;
    }
    if (bytes.byteLength < lease.buffer.byteLength) break;
    bytes = await lease.fill(reader);
  }
  return after;
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
  if ((await store.bucket.head(store.layout.blobData(stored))) === null) await putData(store, stored, bytes);
  const size = bytes.byteLength;
  const key = store.layout.segment(name, state.session, state.offset);
  const created = await createOnce(store, key, "", { stored, size: String(size) });
  return created ? { ...withSegment(state, size), stored } : "conflict";
}

/**
 * Ends a session for good: the next offset is taken by a marker, so that no append can follow.
 * @returns false if another request appended at that offset meanwhile.
 */
export function closeSession(
  store: Store,
  name: RepositoryName,
  session: string,
  offset: number,
): Promise<boolean> {
  return createOnce(store, store.layout.segment(name, session, offset), "", { closed: "1" });
}

/** Removes the segments of a session, and the proof that a commit may have left. They belong to it alone. */
export async function removeSegments(
  store: Store,
  name: RepositoryName,
  session: string,
  segments: readonly Segment[],
): Promise<void> {
  const keys = segments.map(({ offset }) => store.layout.segment(name, session, offset));
  keys.push(store.layout.proof(name, session));
  const batch = 1000;
  for (let start = 0; start < keys.length; start += batch) {
    await store.bucket.delete(keys.slice(start, start + batch));
  }
}

/** Whether a session has something at an offset, and whether that is the mark of a cancelled session: one read. */
export async function statSegment(
  store: Store,
  name: RepositoryName,
  session: string,
  offset: number,
): Promise<"free" | "taken" | "closed"> {
  const head = await store.bucket.head(store.layout.segment(name, session, offset));
  if (head === null) return "free";
  return head.customMetadata?.closed === undefined ? "taken" : "closed";
}
