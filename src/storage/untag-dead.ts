import type { Digest } from "../oci/digest.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { settleBounded } from "./bounded.ts";
import { DamagedTag } from "./damaged-tag.ts";
import { isSameLife, readLink } from "./link.ts";
import { OutOfOperations } from "./metered-bucket.ts";
import { projectUntilStable, unproject } from "./projection.ts";
import type { Version } from "./register.ts";
import { registerVersions } from "./register-versions.ts";
import type { Store } from "./store.ts";
import { readTag, swapTagToTombstone, type TagState } from "./tag-register.ts";

/** How often a lost swap is tried again before the tag is left to a repeated request. */
const tries = 5;

/**
 * What became of a tag. `removed`: by this call. `clear`: it does not, or no longer, name the dead manifest.
 * `later`: other writers or the limit of operations were in the way. `failed`: R2 did not do it. `damaged`: nobody
 * can tell what it names.
 */
export type Fate = "removed" | "clear" | "later" | "failed" | "damaged";

/** Tags to be removed where they name a life of `digest` that is over. */
export interface Untagging {
  readonly name: RepositoryName;
  readonly digest: Digest;
  /** At most 1,000. */
  readonly tags: readonly Tag[];
  /** Reads what a tag names. */
  readonly read: (store: Store, tag: Tag) => Promise<TagState>;
  /** Whether an earlier request may have died between removing a tag and taking away its projections. */
  readonly resumes: boolean;
}

/**
 * Removes tags that name a life of a digest that is over (docs/protocols.md "Delete by digest", 5 and 6): reads
 * all of them, then the revision, swaps the dead ones to tombstones, takes their projections away together, and
 * looks at each register once more. A tag costs two reads, one write and the deletes of its projections.
 * @returns the fate of each tag, in order. Never rejects: what failed is logged.
 */
export async function untagDead(store: Store, untagging: Untagging): Promise<readonly Fate[]> {
  const { name, digest, tags, read } = untagging;
  const { concurrency } = store;
  try {
    const states = await settleBounded(tags, concurrency, (tag) => read(store, tag));
    const live = await liveGeneration(store, name, digest);
    const buried = await settleBounded(tags, concurrency, (tag, index) =>
      bury(store, untagging, tag, fulfilled(states[index]), live),
    );
    const tombstones = buried.map((result) =>
      result.status === "fulfilled" ? result.value.tombstone : undefined,
    );
    const dead = tags.filter((_, index) => tombstones[index] !== undefined);
    const [unprojected] = await Promise.allSettled([unproject(store, name, dead)]);
    const [versions] = await Promise.allSettled([
      unprojected.status === "fulfilled"
        ? registerVersions(store, name, dead)
        : Promise.reject(unprojected.reason),
    ]);
    const looks = await settleBounded(tags, concurrency, async (tag, index) => {
      const tombstone = tombstones[index];
      if (tombstone !== undefined) await settle(store, name, tag, tombstone, fulfilled(versions).get(tag));
    });
    return buried.map((result, index) => {
      const failed = [result, looks[index]].find((step) => step?.status === "rejected");
      if (failed?.status === "rejected") return fateOf(failed.reason);
      return result.status === "fulfilled" && result.value.removed ? "removed" : "clear";
    });
  } catch (error) {
    const fate = fateOf(error);
    return tags.map(() => fate);
  }
}

/** A tag that is a tombstone and may have projections left: the version of the tombstone. */
interface Buried {
  readonly tombstone: Version;
  /** Whether this call removed the tag. */
  readonly removed: boolean;
}

/** Swaps the tag to a tombstone if it names a life of the digest that is over. */
async function bury(
  store: Store,
  { name, digest, read, resumes }: Untagging,
  tag: Tag,
  before: TagState,
  live: string | undefined,
): Promise<Buried> {
  let state = before;
  let liveNow = live;
  for (let attempt = 0; attempt < tries; attempt++) {
    const { target, version } = state;
    if (target === undefined) return { tombstone: resumes ? version : undefined, removed: false };
    const isAlive = liveNow !== undefined && isSameLife(liveNow, target.generation);
    if (target.digest !== digest || isAlive) {
      return { tombstone: undefined, removed: false };
    }
    const after = await swapTagToTombstone(store, name, tag, state);
    if (after !== undefined) return { tombstone: after.version, removed: true };
    state = await read(store, tag);
    liveNow = await liveGeneration(store, name, digest);
  }
  throw retryLater(1, "the tag is being written by others");
}

/** After taking projections away: whoever wrote meanwhile may have lost theirs to it. */
async function settle(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  tombstone: Version,
  now: Version,
): Promise<void> {
  if (now !== tombstone) await projectUntilStable(store, name, tag, await readTag(store, name, tag));
}

/** The life of the manifest that goes on, undefined if there is none: one read. */
async function liveGeneration(
  store: Store,
  name: RepositoryName,
  digest: Digest,
): Promise<string | undefined> {
  const revision = await readLink(store, store.layout.revisionLink(name, digest), digest);
  return revision.target === undefined ? undefined : revision.generation;
}

function fulfilled<Value>(result: PromiseSettledResult<Value> | undefined): Value {
  if (result?.status !== "fulfilled") throw result?.reason;
  return result.value;
}

function fateOf(reason: unknown): Fate {
  if (reason instanceof OutOfOperations) return "later";
  if (reason instanceof RegistryError && reason.status === 503) return "later";
  if (reason instanceof DamagedTag) return "damaged";
  console.error("untag failed", reason);
  return "failed";
}
