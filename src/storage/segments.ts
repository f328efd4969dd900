import { type Digest, tryParseDigest } from "../oci/digest.ts";
import { retryLater } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { isDirect, preambleLength } from "./direct-session.ts";
import { isTooManyWrites } from "./r2-error.ts";
import { createOnce, whenWritable } from "./register.ts";
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
  /** Cancelled, or refused for its digest: nothing more can be appended. */
  readonly closed: boolean;
}

/** What is left of a session that is over, in place of its first segment. */
const closedMark = { closed: "1" };

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

/** What the bucket has of a session, in the order of the offsets: one list for each page. */
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
      if (metadata.closed !== undefined) closed = true;
      else segments.push({ offset, ...contentOf(session, object, metadata) });
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return { segments, closed };
}

/** What a client wrote into the bucket himself says nothing of what it stands for: only its bytes count. */
function contentOf(session: string, { size }: R2Object, metadata: Record<string, string>) {
  if (isDirect(session)) return { size: Math.max(0, size - preambleLength) };
  const stored = tryParseDigest(metadata.stored ?? "");
  return stored === undefined ? { size } : { size: Number(metadata.size), stored };
}

/**
 * The segments that follow one another from the start, up to the first gap. One that begins within another is
 * passed over: it is left from a session that is over, or from a client who cut its parts anew.
 */
export function joined(segments: readonly Segment[]): readonly Segment[] {
  const following: Segment[] = [];
  let end = 0;
  for (const segment of segments) {
    if (segment.offset > end) break;
    if (segment.offset < end) continue;
    following.push(segment);
    end += segment.size;
  }
  return following;
}

/** The state that the bucket's view of the session amounts to. */
export function stateFrom(state: UploadState, segments: readonly Segment[]): UploadState {
  const { stored: _, ...rest } = state;
  const stored = segments[0]?.stored;
  const empty: UploadState = { ...rest, offset: 0, count: 0, runs: [], ...(stored && { stored }) };
  return segments.reduce((sum, { size }) => withSegment(sum, size), empty);
}

/**
 * Writes a segment.
 * @param body a stream must have a known length.
 * @param metadata what an empty segment stands for.
 * @returns false if the session has one at this offset.
 */
export async function createSegment(
  store: Store,
  name: RepositoryName,
  session: string,
  offset: number,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
  metadata: Record<string, string> = {},
): Promise<boolean> {
  const key = store.layout.segment(name, session, offset);
  try {
    return await createOnce(store, key, body, metadata);
  } catch (error) {
    if (!isTooManyWrites(error)) throw error;
    // R2 looks at how often a key is written before it looks at the condition.
    if ((await store.bucket.head(key)) !== null) return false;
    throw retryLater(1, "another request is writing this chunk", { cause: error });
  }
}

/** Ends a session for good: a mark in place of its first segment stays, everything else goes. */
export async function endSession(
  store: Store,
  name: RepositoryName,
  session: string,
  segments: readonly Segment[],
): Promise<void> {
  const first = store.layout.segment(name, session, 0);
  await whenWritable(store, () => store.bucket.put(first, "", { customMetadata: closedMark }));
  await removeSegments(
    store,
    name,
    session,
    segments.filter(({ offset }) => offset > 0),
  );
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

/** Whether a session has something at an offset, and whether that is the mark of a closed session: one read. */
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
