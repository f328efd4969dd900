import type { Digest } from "../oci/digest.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { withLegacyTag } from "./legacy-tags.ts";
import { isSameLife, readLink } from "./link.ts";
import { projectUntilStable } from "./projection.ts";
import { type Version, whenWritable } from "./register.ts";
import type { Store } from "./store.ts";
import { readTag, swapTag, swapTagToTombstone, type TagState, type TagTarget } from "./tag-register.ts";

/** How often a lost swap is tried again before the client is asked to. */
const tries = 5;

/**
 * Whether the request wants to go on, given what the tag names now (undefined: nothing), and the version of its
 * register: that of a tag which names again what it did before is another one.
 */
export type TagCondition = (current: Digest | undefined, version: Version) => boolean;

/** A tag that a request wants to set. */
export interface TagRequest {
  readonly tag: Tag;
  /** Of `If-Match` or `If-None-Match`; a condition that does not hold is a 412. */
  readonly condition?: TagCondition | undefined;
  /** An immutable tag may only ever name one digest, even after it was removed. */
  readonly immutable: boolean;
}

/**
 * Sets a tag by swap. The reverse entry, by which a delete by digest finds the tag, is always written before
 * the swap. Projections are the caller's.
 * @param before the tag as the caller read it; read again when the swap is lost.
 * @param indexed whether the caller has put the reverse entry.
 * @returns the state that the tag then had, whether this call changed it, and what it named before.
 * @throws RegistryError 412 or 409 DENIED when the request's condition or an immutable tag forbids it, 503 when
 *   other writers go on winning.
 */
export async function setTag(
  store: Store,
  name: RepositoryName,
  request: TagRequest,
  target: TagTarget,
  before: TagState,
  indexed: boolean,
): Promise<{ state: TagState; changed: boolean; previous: Digest | undefined }> {
  const { tag } = request;
  let state = before;
  let isIndexed = indexed;
  for (let attempt = 0; attempt < tries; attempt++) {
    await refuse(store, name, request, target, state);
    const previous = state.target?.digest;
    if (names(state, target)) return { state, changed: false, previous };
    if (!isIndexed) {
      await whenWritable(store, () => store.bucket.put(store.layout.tagged(name, target.digest, tag), ""));
      isIndexed = true;
    }
    const after = await swapTag(store, name, tag, state, target);
    if (after !== undefined) return { state: after, changed: true, previous };
    state = await readTag(store, name, tag);
  }
  throw retryLater(1, "the tag is being written by others");
}

/** Whether the tag names this very life of the manifest. */
export function names(state: TagState, target: TagTarget): boolean {
  return state.target?.digest === target.digest && state.target.generation === target.generation;
}

/** What the caller knows of a manifest: the generation in which it lives, undefined if it does not. */
export interface KnownLife {
  readonly digest: Digest;
  readonly generation: string | undefined;
}

/**
 * Throws what the request's condition or an immutable tag says against it: conditions come before "it is
 * already there", or two `If-None-Match: *` with one digest would both win.
 */
export async function refuse(
  store: Store,
  name: RepositoryName,
  request: TagRequest,
  target: KnownLife,
  read: TagState,
): Promise<void> {
  if (request.condition === undefined && !request.immutable) return;
  const state = await withLegacyTag(store, name, request.tag, read);
  if (request.condition !== undefined) {
    const current = await liveDigest(store, name, state, target);
    if (!request.condition(current, state.version)) throw preconditionFailed(request.tag, current);
  }
  const first = state.history[0]?.digest;
  if (request.immutable && first !== undefined && first !== target.digest) {
    throw new RegistryError("DENIED", {
      status: 409,
      message: "the tag is immutable and already names another manifest",
      detail: { tag: request.tag, digest: first },
    });
  }
}

/**
 * Removes a tag: the swap to a tombstone is the removal; what follows is tidying.
 * @returns what the tag named.
 * @throws RegistryError MANIFEST_UNKNOWN (404), 412, or 503 when other writers go on winning.
 */
export async function untag(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  condition?: TagCondition,
): Promise<Digest> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const state = await withLegacyTag(store, name, tag, await readTag(store, name, tag));
    if (condition !== undefined) {
      const current = await liveDigest(store, name, state, undefined);
      if (!condition(current, state.version)) throw preconditionFailed(tag, current);
    }
    if (state.target === undefined) {
      // An untag that died after its swap may have left projections of what it removed.
      if (state.version !== undefined) await projectUntilStable(store, name, tag, state);
      throw new RegistryError("MANIFEST_UNKNOWN", { detail: `unknown tag=${tag}` });
    }
    const after = await swapTagToTombstone(store, name, tag, state);
    if (after === undefined) continue;
    await projectUntilStable(store, name, tag, after);
    return state.target.digest;
  }
  throw retryLater(1, "the tag is being written by others");
}

/** What the tag names, if that life of the manifest is not over. */
async function liveDigest(
  store: Store,
  name: RepositoryName,
  state: TagState,
  known: KnownLife | undefined,
): Promise<Digest | undefined> {
  const { target } = state;
  if (target === undefined) return undefined;
  if (target.digest === known?.digest) {
    const { generation } = known;
    return generation !== undefined && isSameLife(generation, target.generation) ? target.digest : undefined;
  }
  const revision = await readLink(store, store.layout.revisionLink(name, target.digest), target.digest);
  return revision.target !== undefined && isSameLife(revision.generation, target.generation)
    ? target.digest
    : undefined;
}

function preconditionFailed(tag: Tag, current: Digest | undefined): RegistryError {
  return new RegistryError("DENIED", {
    status: 412,
    message: "the tag does not name what the request expects",
    detail: { tag, digest: current ?? null },
    ...(current !== undefined && { headers: { ETag: `"${current}"` } }),
  });
}
