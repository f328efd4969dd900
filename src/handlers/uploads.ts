import { type Digest, parseAlgorithm, parseDigest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { type RepositoryName, tryParseRepositoryName } from "../oci/name.ts";
import { statBlob } from "../storage/blobs.ts";
import { commitBlob } from "../storage/commit.ts";
import { bytesContent, type Content, segmentContent, streamContent } from "../storage/content.ts";
import { findMountSource, mountBlob } from "../storage/mount.ts";
import { closeSession, removeSegments, type Segment, statSegment } from "../storage/segments.ts";
import { newUpload, type UploadState } from "../storage/upload-state.ts";
import { contentLength } from "./body.ts";
import { defer, type RegistryContext, repositoryFor } from "./context.ts";
import { absoluteUrl, blobPath } from "./location.ts";
import { refused } from "./refusal.ts";
import { appendBody, type Chunk, expectChunk, smallBody } from "./upload-body.ts";
import {
  currentSession,
  outOfOrder,
  segmentsFor,
  sessionHeaders,
  sessionOf,
  unknownUpload,
} from "./upload-session.ts";

/**
 * POST `/v2/<name>/blobs/uploads/` (distribution-spec "Pushing blobs", "Mounting a blob"): begins a session,
 * which writes nothing, or mounts, or takes the whole blob at once when `digest` and a body are given.
 */
export async function startUpload(c: RegistryContext): Promise<Response> {
  const { store, config } = c.var.registry;
  const name = repositoryFor(c, "push");
  const mounted = await tryMount(c, name);
  if (mounted !== undefined) return created(c, name, mounted);

  const state = newUpload(store.clock.now(), announcedAlgorithm(c));
  const digest = c.req.query("digest");
  const size = contentLength(c.req.raw);
  if (digest !== undefined && size !== 0) {
    return commit(c, name, parseDigest(digest), state, { size, isPlaced: false, state });
  }
  const headers = {
    ...(await sessionHeaders(c, name, state)),
    "OCI-Chunk-Min-Length": String(config.chunkMinLength),
    "OCI-Chunk-Max-Length": String(config.chunkMaxLength),
  };
  return new Response(null, { status: 202, headers });
}

/** PATCH on an upload session (distribution-spec "Pushing a blob in chunks", E28 to E34): appends a chunk. */
export async function appendChunk(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "push");
  const state = await sessionOf(c, name);
  const after = await appendBody(c, name, await expectChunk(c, name, state));
  return new Response(null, { status: 202, headers: await sessionHeaders(c, name, after) });
}

/** GET and HEAD on an upload session (end-13): where the upload stands, from the bucket. */
export async function uploadStatus(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "push");
  const { state } = await currentSession(c, name, await sessionOf(c, name));
  const { "Content-Length": _, ...headers } = await sessionHeaders(c, name, state);
  return new Response(null, { status: 204, headers });
}

/** DELETE on an upload session (end-14): nothing can be appended to it afterwards. */
export async function cancelUpload(c: RegistryContext): Promise<Response> {
  const { store } = c.var.registry;
  const name = repositoryFor(c, "push");
  const session = await sessionOf(c, name);
  for (;;) {
    const { state, segments } = await currentSession(c, name, session);
    if (!(await closeSession(store, name, state.session, state.offset))) continue;
    defer(c, removeSegments(store, name, state.session, segments));
    return new Response(null, { status: 204, headers: { "Docker-Upload-UUID": state.session } });
  }
}

/** PUT on an upload session (end-6): the last bytes, if any, and the digest that all of them must have. */
export async function closeUpload(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "push");
  const state = await sessionOf(c, name);
  const text = c.req.query("digest");
  if (text === undefined) throw new RegistryError("DIGEST_INVALID", { message: "digest missing" });
  const digest = parseDigest(text);
  const chunk = await expectChunk(c, name, state);
  return commit(c, name, digest, chunk.state, chunk);
}

async function commit(
  c: RegistryContext,
  name: RepositoryName,
  digest: Digest,
  state: UploadState,
  chunk: Chunk,
): Promise<Response> {
  const { store, config } = c.var.registry;
  let segments: readonly Segment[] = [];
  try {
    const source = await contentOf(c, name, digest, state, chunk);
    segments = source.segments;
    await commitBlob(store, {
      name,
      digest,
      content: source.content,
      proofKey: store.layout.proof(name, state.session),
      singlePutLimit: config.singlePutLimit,
    });
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const [entry] = error.entries;
    // The bytes are not what they should be: the session is over (M23).
    if (entry?.code === "DIGEST_INVALID") defer(c, removeSegments(store, name, state.session, segments));
    // A closing PUT whose answer was lost is repeated: the segments are gone because the blob is there.
    const isRepeated = entry?.code === "BLOB_UPLOAD_UNKNOWN" && state.offset > 0;
    if (!isRepeated || (await statBlob(store, name, digest)) === undefined) throw error;
  }
  defer(c, removeSegments(store, name, state.session, segments));
  return created(c, name, digest);
}

/** The content that a closing PUT commits: the body alone if nothing was appended before, else the segments. */
async function contentOf(
  c: RegistryContext,
  name: RepositoryName,
  digest: Digest,
  state: UploadState,
  chunk: Chunk,
): Promise<{ content: Content; segments: readonly Segment[] }> {
  const { store, config } = c.var.registry;
  const { body } = c.req.raw;
  const hasBody = body !== null && chunk.size !== 0;
  if (state.offset === 0) {
    const taken = c.req.method === "PUT" && (await statSegment(store, name, state.session, 0));
    if (taken === "closed") throw unknownUpload();
    // The URL is older than a chunk that was sent since.
    if (taken === "taken") {
      if (hasBody) throw await outOfOrder(c, name, state);
      const { segments } = await currentSession(c, name, state);
      return { content: segmentContent(store, name, state.session, segments), segments };
    }
    if (!hasBody) return { content: bytesContent(new Uint8Array(0)), segments: [] };
    if (chunk.size !== undefined && chunk.size <= smallBody) {
      const bytes = new Uint8Array(await new Response(body).arrayBuffer());
      return { content: bytesContent(bytes), segments: [] };
    }
    const isSized = contentLength(c.req.raw) !== undefined;
    if (isSized && chunk.size !== undefined && chunk.size <= config.singlePutLimit) {
      return { content: streamContent(body, chunk.size), segments: [] };
    }
  }
  const after = hasBody ? await appendBody(c, name, { ...chunk, state }) : state;
  const segments = await segmentsFor(c, name, after);
  // The server's own hash of all that was sent says more than another pass could.
  const only = segments.length === 1 ? segments[0]?.stored : undefined;
  if (only !== undefined && only !== digest && only.split(":")[0] === digest.split(":")[0]) {
    throw new RegistryError("DIGEST_INVALID", { detail: digest });
  }
  return { content: segmentContent(store, name, after.session, segments), segments };
}

function created(c: RegistryContext, name: RepositoryName, digest: Digest): Response {
  const headers = {
    Location: absoluteUrl(c, blobPath(name, digest)),
    "Docker-Content-Digest": digest,
    "Content-Length": "0",
  };
  return new Response(null, { status: 201, headers });
}

/**
 * Mounts if the request asks for it and it can be done; what cannot be mounted is uploaded as usual (E22, E23, M29).
 * @throws RegistryError UNAUTHORIZED (401) for a token that was not asked for the source: another one may do.
 */
async function tryMount(c: RegistryContext, name: RepositoryName): Promise<Digest | undefined> {
  const mount = c.req.query("mount");
  if (mount === undefined) return undefined;
  const { store } = c.var.registry;
  const { access } = c.var;
  const digest = parseDigest(mount);
  const from = c.req.query("from");
  const mayPull = (repository: RepositoryName) => access.allows(repository, "pull");
  const named = from === undefined ? undefined : tryParseRepositoryName(from);
  if (named !== undefined && !mayPull(named) && access.isUnasked(named)) throw refused(c);
  const source =
    from === undefined
      ? await findMountSource(store, digest, mayPull)
      : named && mayPull(named)
        ? named
        : undefined;
  if (source === undefined) return undefined;
  return (await mountBlob(store, name, digest, source)) ? digest : undefined;
}

function announcedAlgorithm(c: RegistryContext) {
  const text = c.req.query("digest-algorithm");
  if (text === undefined) return undefined;
  const algorithm = parseAlgorithm(text);
  if (algorithm === undefined) {
    throw new RegistryError("DIGEST_INVALID", {
      message: "unsupported digest algorithm",
      detail: text.slice(0, 64),
    });
  }
  return algorithm;
}
