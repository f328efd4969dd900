import { blobEvent } from "../events/blob-event.ts";
import {
  algorithmOf,
  type Digest,
  digestOf,
  parseAlgorithm,
  parseDigest,
  tryParseDigest,
} from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { type RepositoryName, tryParseRepositoryName } from "../oci/name.ts";
import { findMountSource, mountBlob } from "../storage/mount.ts";
import { endSession } from "../storage/segments.ts";
import { newUpload, type UploadState } from "../storage/upload-state.ts";
import { contentLength } from "./body.ts";
import { announce, type RegistryContext, repositoryFor, seeThrough } from "./context.ts";
import { absoluteUrl, blobPath } from "./location.ts";
import { refused } from "./refusal.ts";
import { appendBody, expectChunk, hasBody } from "./upload-body.ts";
import { commitUpload } from "./upload-commit.ts";
import { currentSession, expectStanding, outOfOrder, sessionHeaders, sessionOf } from "./upload-session.ts";

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
  const text = c.req.query("digest");
  const size = contentLength(c.req.raw);
  if (text !== undefined) {
    const digest = parseDigest(text);
    const isEmpty = digest === (await digestOf(new Uint8Array(0), algorithmOf(digest)));
    if (size !== 0 || isEmpty) {
      await seeThrough(c, commitUpload(c, name, digest, { size, isPlaced: false, state }));
      return created(c, name, digest);
    }
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
  // A client that hangs up must not take a buffer of the pool with it, so this goes on to its end.
  const after = await seeThrough(c, append(c, name, state));
  return new Response(null, { status: 202, headers: await sessionHeaders(c, name, after) });
}

async function append(c: RegistryContext, name: RepositoryName, state: UploadState): Promise<UploadState> {
  const chunk = await expectChunk(c, name, state);
  if (!hasBody(c, chunk)) return (await currentSession(c, name, chunk.state)).state;
  await expectStanding(c, name, chunk.state);
  const after = await appendBody(c, name, chunk);
  if (after === "conflict") throw await outOfOrder(c, name, state);
  return after;
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
  const name = repositoryFor(c, "push");
  const { state, segments } = await currentSession(c, name, await sessionOf(c, name));
  await endSession(c.var.registry.store, name, state.session, segments);
  return new Response(null, { status: 204, headers: { "Docker-Upload-UUID": state.session } });
}

/** PUT on an upload session (end-6): the last bytes, if any, and the digest that all of them must have. */
export async function closeUpload(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "push");
  const state = await sessionOf(c, name);
  const text = c.req.query("digest");
  if (text === undefined) throw new RegistryError("DIGEST_INVALID", { message: "digest missing" });
  const digest = parseDigest(text);
  const close = async () => commitUpload(c, name, digest, await expectChunk(c, name, state));
  await seeThrough(c, close());
  return created(c, name, digest);
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
  const digest = tryParseDigest(c.req.query("mount") ?? "");
  if (digest === undefined) return undefined;
  const { store } = c.var.registry;
  const { access } = c.var;
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
  if (!(await mountBlob(store, name, digest, source))) return undefined;
  announce(c, blobEvent("mount", name, { digest, from: source }));
  return digest;
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
