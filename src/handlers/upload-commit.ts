import { blobEvent } from "../events/blob-event.ts";
import { algorithmOf, type Digest } from "../oci/digest.ts";
import { type ErrorCode, RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { tooManySegments } from "../storage/append.ts";
import { statBlob } from "../storage/blobs.ts";
import { commitBlob } from "../storage/commit.ts";
import { bytesContent, type Content, segmentContent, streamContent } from "../storage/content.ts";
import { isDirect } from "../storage/direct-session.ts";
import { GuardWatch } from "../storage/guard.ts";
import {
  endSession,
  joined,
  listSegments,
  removeSegments,
  type Segment,
  segmentsOf,
  stateFrom,
  statSegment,
} from "../storage/segments.ts";
import type { UploadState } from "../storage/upload-state.ts";
import { contentLength, readAll } from "./body.ts";
import { announce, defer, type RegistryContext } from "./context.ts";
import { appendBody, type Chunk, hasBody, smallBody } from "./upload-body.ts";
import { currentSession, outOfOrder, unknownUpload } from "./upload-session.ts";

/** What a session has, its last chunk included. */
interface Source {
  readonly content: Content;
  /** Where the content lies, if it is in the bucket. */
  readonly segments: readonly Segment[];
  /** The bucket had it all, and the body of the request was taken for the last of it, sent again. */
  readonly isResent: boolean;
}

/**
 * Commits a session with the body of the request as its last chunk, or a request that is a whole upload.
 * @throws RegistryError DIGEST_INVALID (400): nothing is stored, and the session is over (M23); 416 when chunks
 *   arrived that the request does not know of; what appendBody and commitBlob throw.
 */
export async function commitUpload(
  c: RegistryContext,
  name: RepositoryName,
  digest: Digest,
  chunk: Chunk,
): Promise<void> {
  const { store, config } = c.var.registry;
  const { state } = chunk;
  let source: Source | undefined;
  try {
    const [guard, first] = await Promise.all([GuardWatch.begin(store), statFirst(c, name, chunk)]);
    source = await sourceOf(c, name, chunk, first);
    refuseOtherHash(source.segments, digest);
    await commitBlob(store, {
      name,
      digest,
      content: source.content,
      guard,
      proofKey: store.layout.proof(name, state.session),
      singlePutLimit: config.singlePutLimit,
    });
    const { segments, content } = source;
    announce(c, blobEvent("push", name, { digest, size: content.size }));
    defer(c, () => removeSegments(store, name, state.session, segments));
  } catch (error) {
    if (hasCode(error, "DIGEST_INVALID") && source !== undefined) await endRefused(c, name, state, source);
    // A closing PUT whose answer was lost is repeated: the segments are gone because the blob is there.
    const mayBeRepeated = hasCode(error, "BLOB_UPLOAD_UNKNOWN") && state.offset > 0;
    if (!mayBeRepeated || (await statBlob(store, name, digest)) === undefined) throw error;
    defer(c, () => discard(c, name, state));
  }
}

/**
 * Looks at the first segment, which tells whether the session stands, unless all segments are going to be read.
 * A POST has no session yet.
 */
async function statFirst(c: RegistryContext, name: RepositoryName, chunk: Chunk) {
  const { state } = chunk;
  const isRead = state.offset > 0 && !hasBody(c, chunk) && !(state.count === 1 && state.stored !== undefined);
  if (c.req.method === "POST" || (isRead && !isDirect(state.session))) return undefined;
  return statSegment(c.var.registry.store, name, state.session, 0);
}

async function sourceOf(
  c: RegistryContext,
  name: RepositoryName,
  chunk: Chunk,
  first: Awaited<ReturnType<typeof statFirst>>,
): Promise<Source> {
  const { state } = chunk;
  if (first === "closed" || (first === "free" && state.offset > 0)) throw unknownUpload();
  // The URL is older than a chunk that was sent since; no URL of a direct session knows of its parts.
  if (first === "taken" && (state.offset === 0 || isDirect(state.session)))
    return resentSource(c, name, chunk);
  const whole = state.offset === 0 ? await wholeBody(c, chunk) : undefined;
  if (whole !== undefined) return { content: whole, segments: [], isResent: false };
  const after = hasBody(c, chunk) ? await appendBody(c, name, chunk) : state;
  if (after === "conflict") return resentSource(c, name, chunk);
  const segments = segmentsOf(after) ?? (await currentSession(c, name, after)).segments;
  return segmentSource(c, name, after, segments, false);
}

/** A body that is the whole blob and goes to its place as it comes; undefined if it has to become segments first. */
async function wholeBody(c: RegistryContext, chunk: Chunk): Promise<Content | undefined> {
  const { body } = c.req.raw;
  if (body === null || chunk.size === 0) return bytesContent(new Uint8Array(0));
  const announced = contentLength(c.req.raw);
  if (announced === undefined || announced > c.var.registry.config.singlePutLimit) return undefined;
  return announced <= smallBody ? bytesContent(await readAll(c.req.raw)) : streamContent(body, announced);
}

/**
 * What the bucket has, if that is all the request was to add to: a closing PUT is repeated whose last chunk had
 * been stored. Whether it really is that chunk is for the digest to say.
 */
async function resentSource(c: RegistryContext, name: RepositoryName, chunk: Chunk): Promise<Source> {
  const { state, segments } = await currentSession(c, name, chunk.state);
  if (!hasBody(c, chunk)) return segmentSource(c, name, state, segments, false);
  const isResent = chunk.size !== undefined && chunk.state.offset + chunk.size === state.offset;
  if (!isResent) throw await outOfOrder(c, name, state);
  return segmentSource(c, name, state, segments, true);
}

function segmentSource(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
  segments: readonly Segment[],
  isResent: boolean,
): Source {
  const { store, config } = c.var.registry;
  // Parts that went straight to the bucket were counted by nobody.
  if (segments.length > config.maxSegments) throw tooManySegments(config.maxSegments);
  return { content: segmentContent(store, name, state.session, segments), segments, isResent };
}

/** The server's own hash of all that was sent says more than another pass could. */
function refuseOtherHash(segments: readonly Segment[], digest: Digest): void {
  const only = segments.length === 1 ? segments[0]?.stored : undefined;
  if (only === undefined || only === digest || algorithmOf(only) !== algorithmOf(digest)) return;
  throw new RegistryError("DIGEST_INVALID", { detail: digest });
}

/**
 * Ends a session whose content has not the digest that the client said. One that has received nothing stays.
 * @throws RegistryError 416 if it may be the request that was behind, or out of order, or a part is missing: then
 *   the session lives on.
 */
async function endRefused(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
  { content, isResent }: Source,
): Promise<void> {
  if (c.req.method === "POST") return discard(c, name, state);
  if (content.size === 0) return;
  const { store } = c.var.registry;
  const { segments } = await listSegments(store, name, state.session);
  const current = stateFrom(state, joined(segments));
  const hasGap = (segments.at(-1)?.offset ?? 0) > current.offset;
  if (isResent || hasGap || content.size < current.offset) throw await outOfOrder(c, name, current);
  await endSession(store, name, state.session, segments);
}

/** Removes what the bucket has of a session that nobody can go on with. */
async function discard(c: RegistryContext, name: RepositoryName, state: UploadState): Promise<void> {
  const { store } = c.var.registry;
  const { segments } = await listSegments(store, name, state.session);
  await removeSegments(store, name, state.session, segments);
}

function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof RegistryError && error.entries[0]?.code === code;
}
