import type { Digest } from "../oci/digest.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { tryParseTag } from "../oci/name.ts";
import { settleBounded } from "./bounded.ts";
import { type Link, readLink, swapToTombstone } from "./link.ts";
import { projectUntilStable } from "./projection.ts";
import { unlistReferrer } from "./referrer-entry.ts";
import type { Store } from "./store.ts";
import { readTag, swapTagToTombstone, type TagState } from "./tag-register.ts";

/** Operations that removing one tag takes at most when nobody interferes: two reads, a swap, two projections. */
const operationsPerTag = 5;
/** Operations of a delete beside its tags, with a margin for lost swaps. */
const operationsBeside = 60;
const tries = 5;

/**
 * Deletes a manifest by digest (docs/protocols.md "Delete by digest"). One swap of the revision link is the
 * deletion; what follows removes the tags that name it, found by the reverse entries, and may be interrupted
 * and resumed by a repeated request.
 * @param operations how many R2 and KV operations the platform grants this request.
 * @throws RegistryError MANIFEST_UNKNOWN (404) if there was nothing to do, 503 with the number left when there
 *   are more tags than one request may touch, 500 naming the tags that could not be removed.
 */
export async function deleteManifest(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  operations: number,
): Promise<void> {
  const { revision, resumes } = await kill(store, name, digest);
  if (revision.subject !== undefined) {
    await unlistReferrer(store, name, revision.subject, digest);
  }
  const page = await nextTags(store, name, digest, revision.untaggedUpTo, operations);
  const outcome = await untagAll(store, name, digest, page.tags, resumes);
  if (outcome.failed.length > 0) {
    throw new RegistryError("UNKNOWN", {
      message: "the manifest is deleted, but some of its tags could not be removed yet: repeat the request",
      detail: { tags: outcome.failed },
    });
  }
  const last = page.tags.at(-1);
  if (page.left > 0 && last !== undefined) {
    await rememberProgress(store, name, digest, last);
    throw retryLater(1, "the manifest is deleted, and its tags are being removed: repeat the request", {
      detail: { left: page.left },
    });
  }
  if (revision.untaggedUpTo !== undefined) await rememberProgress(store, name, digest, undefined);
  if (resumes && outcome.removed === 0 && revision.untaggedUpTo === undefined) throw unknown(name, digest);
}

/** Swaps the revision link to a tombstone, or finds that an earlier request has. */
async function kill(
  store: Store,
  name: RepositoryName,
  digest: Digest,
): Promise<{ revision: Link; resumes: boolean }> {
  const key = store.layout.revisionLink(name, digest);
  for (let attempt = 0; attempt < tries; attempt++) {
    const revision = await readLink(store, key, digest);
    if (revision.version === undefined) throw unknown(name, digest);
    if (revision.target === undefined) return { revision, resumes: true };
    if ((await swapToTombstone(store, key, revision)) !== undefined) return { revision, resumes: false };
  }
  throw retryLater(1, "the manifest is being written by others");
}

interface Page {
  readonly tags: readonly Tag[];
  /** How many tags are left for a repeated request: exact up to the 1,000 that one listing shows. */
  readonly left: number;
}

/** The tags that ever named the digest, from the reverse entries, as many as the operations suffice for. */
async function nextTags(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  after: string | undefined,
  operations: number,
): Promise<Page> {
  const room = Math.max(1, Math.floor((operations - operationsBeside) / operationsPerTag));
  const prefix = store.layout.taggedWith(name, digest);
  const tags: Tag[] = [];
  let startAfter = after === undefined ? undefined : prefix + after;
  for (;;) {
    const listed = await store.bucket.list({ prefix, ...(startAfter !== undefined && { startAfter }) });
    for (const { key } of listed.objects) {
      const tag = tryParseTag(key.slice(prefix.length));
      if (tag !== undefined) tags.push(tag);
      startAfter = key;
    }
    if (!listed.truncated || tags.length > room) break;
  }
  return { tags: tags.slice(0, room), left: Math.max(0, tags.length - room) };
}

/** Reads the tags, then removes those that name a life of the digest that is over. */
async function untagAll(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  tags: readonly Tag[],
  resumes: boolean,
): Promise<{ removed: number; failed: Tag[] }> {
  const states = await settleBounded(tags, store.concurrency, (tag) => readTag(store, name, tag));
  const key = store.layout.revisionLink(name, digest);
  const { target, generation } = await readLink(store, key, digest);
  const live = target === undefined ? undefined : generation;
  const outcomes = await settleBounded(tags, store.concurrency, async (tag, index) => {
    const read = states[index];
    if (read?.status !== "fulfilled") throw read?.reason;
    return untagDead(store, name, digest, tag, read.value, live, resumes);
  });
  const failed: Tag[] = [];
  let removed = 0;
  for (const [index, outcome] of outcomes.entries()) {
    const tag = tags[index];
    if (outcome.status === "fulfilled") removed += outcome.value ? 1 : 0;
    else if (tag !== undefined) {
      console.error("untag failed", outcome.reason);
      failed.push(tag);
    }
  }
  return { removed, failed };
}

/** @returns whether the tag was removed by this call. */
async function untagDead(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  tag: Tag,
  read: TagState,
  live: string | undefined,
  resumes: boolean,
): Promise<boolean> {
  let state = read;
  let liveNow = live;
  for (let attempt = 0; attempt < tries; attempt++) {
    if (state.target === undefined) {
      // The request that this one resumes may have died between the swap and the projections.
      if (resumes && state.version !== undefined) await projectUntilStable(store, name, tag, state);
      return false;
    }
    if (state.target.digest !== digest || state.target.generation === liveNow) return false;
    const after = await swapTagToTombstone(store, name, tag, state);
    if (after !== undefined) {
      await projectUntilStable(store, name, tag, after);
      return true;
    }
    state = await readTag(store, name, tag);
    const revision = await readLink(store, store.layout.revisionLink(name, digest), digest);
    liveNow = revision.target === undefined ? undefined : revision.generation;
  }
  throw retryLater(1, "the tag is being written by others");
}

/** Keeps in the tombstone how far the untagging has come; another writer's swap makes that needless. */
async function rememberProgress(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  untaggedUpTo: Tag | undefined,
): Promise<void> {
  const key = store.layout.revisionLink(name, digest);
  const revision = await readLink(store, key, digest);
  if (revision.version === undefined || revision.target !== undefined) return;
  await swapToTombstone(store, key, revision, untaggedUpTo);
}

function unknown(name: RepositoryName, digest: Digest): RegistryError {
  return new RegistryError("MANIFEST_UNKNOWN", {
    detail: `unknown manifest name=${name} revision=${digest}`,
  });
}
