import { type Digest, hasDigest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { contentOfPart, isDirect, preambleLength } from "./direct-session.ts";
import { fedStream, relayedStream } from "./fed-stream.ts";
import type { Segment } from "./segments.ts";
import type { Store } from "./store.ts";

/** What a put takes: bytes, or a stream whose length is known. */
export type PutBody = Uint8Array<ArrayBuffer> | ReadableStream;

/** The content of a blob on its way in. */
export interface Content {
  /** Bytes in all. */
  readonly size: number;
  /** Whether `into` may be called again: false for a request's body. */
  readonly repeatable: boolean;
  /** Whether the content was seen to have this digest, without asking R2. */
  proves(digest: Digest): Promise<boolean>;
  /** Hands the content to a put. */
  into<Result>(put: (body: PutBody) => Promise<Result>): Promise<Result>;
}

/** A request's body of known length. It can be handed over once; a client that goes away meanwhile is a 499. */
export function streamContent(body: ReadableStream, size: number): Content {
  return {
    size,
    repeatable: false,
    proves: async () => false,
    into: (put) => relayedStream(body, size, put),
  };
}

/** Bytes at hand. */
export function bytesContent(bytes: Uint8Array<ArrayBuffer>): Content {
  return {
    size: bytes.byteLength,
    repeatable: true,
    proves: (digest) => hasDigest(bytes, digest),
    into: (put) => put(bytes),
  };
}

/** The segments of an upload, one after the other. */
export function segmentContent(
  store: Store,
  name: RepositoryName,
  session: string,
  segments: readonly Segment[],
): Content {
  const size = segments.reduce((sum, segment) => sum + segment.size, 0);
  const only = segments.length === 1 ? segments[0] : undefined;
  const open = (segment: Segment) => openSegment(store, name, session, segment);
  return {
    size,
    repeatable: true,
    proves: async (digest) => only?.stored === digest,
    // The rest of an object is no stream of known length.
    into: async (put) =>
      only === undefined || isDirect(session) ? putJoined(segments, size, open, put) : put(await open(only)),
  };
}

/**
 * The bytes of a segment.
 * @throws RegistryError BLOB_UPLOAD_UNKNOWN (404) when they are gone, BLOB_UPLOAD_INVALID (400) for what is no part
 *   of the session.
 */
async function openSegment(
  store: Store,
  name: RepositoryName,
  session: string,
  segment: Segment,
): Promise<ReadableStream> {
  const { layout, bucket } = store;
  const key =
    segment.stored === undefined
      ? layout.segment(name, session, segment.offset)
      : layout.blobData(segment.stored);
  const object = await bucket.get(key);
  if (isDirect(session)) {
    if (object?.size === segment.size + preambleLength) return contentOfPart(object.body, session);
  } else if (object?.size === segment.size) return object.body;
  // A segment of another size is the mark of a session that was closed meanwhile.
  await object?.body.cancel();
  throw new RegistryError("BLOB_UPLOAD_UNKNOWN");
}

/** Joins streams into one of known length; the next one is opened while the current one flows. */
function putJoined<Result>(
  segments: readonly Segment[],
  size: number,
  open: (segment: Segment) => Promise<ReadableStream>,
  put: (body: ReadableStream) => Promise<Result>,
): Promise<Result> {
  const feed = async (writable: WritableStream<Uint8Array>) => {
    let next = segments[0] && open(segments[0]);
    try {
      for (const following of [...segments.slice(1), undefined]) {
        const current = await next;
        next = following && open(following);
        // Awaited in the next turn; a failure before that must not count as unhandled.
        next?.catch(() => undefined);
        await current?.pipeTo(writable, { preventClose: true });
      }
    } catch (error) {
      next?.then((unread) => unread.cancel()).catch(() => undefined);
      throw error;
    }
  };
  return fedStream(size, feed, put);
}
