import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { joined, listSegments, type Segment, stateFrom, statSegment } from "../storage/segments.ts";
import type { UploadState } from "../storage/upload-state.ts";
import type { RegistryContext } from "./context.ts";
import { absoluteUrl } from "./location.ts";

/** The query parameter of a Location that carries the signed state. */
const stateParam = "state";

/**
 * The session that the request's URL names.
 * @throws RegistryError BLOB_UPLOAD_UNKNOWN (404) if its state is missing, not ours, of another repository or
 *   session, or older than a week.
 */
export async function sessionOf(c: RegistryContext, name: RepositoryName): Promise<UploadState> {
  const { store, uploadKey } = c.var.registry;
  const signer = await uploadKey.signer(store);
  const token = c.req.query(stateParam) ?? "";
  const state = await signer.verify(name, c.req.param("session") ?? "", token, store.clock.now());
  if (state === undefined) throw unknownUpload();
  return state;
}

/**
 * The session as the bucket has it, for requests whose URL may be behind.
 * @throws RegistryError BLOB_UPLOAD_UNKNOWN (404) if it was cancelled, refused or committed.
 */
export async function currentSession(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
): Promise<{ readonly state: UploadState; readonly segments: readonly Segment[] }> {
  const progress = await listSegments(c.var.registry.store, name, state.session);
  const segments = joined(progress.segments);
  if (progress.closed || (segments.length === 0 && state.offset > 0)) throw unknownUpload();
  return { state: stateFrom(state, segments), segments };
}

/**
 * Makes sure that a session which has received something still stands: one read.
 * @throws RegistryError BLOB_UPLOAD_UNKNOWN (404) if it was cancelled, refused or committed.
 */
export async function expectStanding(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
): Promise<void> {
  if (state.offset === 0) return;
  const first = await statSegment(c.var.registry.store, name, state.session, 0);
  if (first !== "taken") throw unknownUpload();
}

/**
 * What clients need to go on with an upload. `Range` has no unit, and is `0-0` for a session that has nothing
 * as for one that has one byte: docker parses it as two numbers.
 */
export async function sessionHeaders(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
): Promise<Record<string, string>> {
  const path = `/v2/${name}/blobs/uploads/${state.session}`;
  return {
    Location: absoluteUrl(c, path + (await signedQuery(c, name, state))),
    Range: `0-${Math.max(0, state.offset - 1)}`,
    "Docker-Upload-UUID": state.session,
    "Content-Length": "0",
  };
}

/** The query that makes a URL one of this session: its state, signed. */
export async function signedQuery(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
): Promise<string> {
  const { store, uploadKey } = c.var.registry;
  return `?${stateParam}=${await (await uploadKey.signer(store)).sign(name, state)}`;
}

/** The 416 of a chunk that is not the next one: the session lives, and the answer says where it stands. */
export async function outOfOrder(
  c: RegistryContext,
  name: RepositoryName,
  state: UploadState,
): Promise<RegistryError> {
  const current = await currentSession(c, name, state);
  const { Location = "", Range = "" } = await sessionHeaders(c, name, current.state);
  return new RegistryError("BLOB_UPLOAD_INVALID", {
    status: 416,
    message: "the chunk does not begin where the upload stands",
    headers: { Location, Range },
  });
}

export function unknownUpload(): RegistryError {
  return new RegistryError("BLOB_UPLOAD_UNKNOWN");
}
