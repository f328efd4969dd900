import type { Digest } from "../oci/digest.ts";
import { errorEntry, RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import type { Reference } from "../oci/reference.ts";
import { mapBounded } from "./bounded.ts";
import { claim } from "./claim.ts";
import { confirmTag } from "./confirm-tag.ts";
import { putData } from "./data.ts";
import { GuardWatch } from "./guard.ts";
import { isSameLife, type Link, liveLink, readLink } from "./link.ts";
import { project, projectUntilStable } from "./projection.ts";
import { listedReferrer, putReferrer, type ReferrerEntry, unlistReferrer } from "./referrer-entry.ts";
import { swap, whenWritable } from "./register.ts";
import type { Store } from "./store.ts";
import { readTag, type TagState, type TagTarget } from "./tag-register.ts";
import { refuse, setTag, type TagRequest } from "./tag-set.ts";
import { removeMark } from "./untagged-mark.ts";
import { restoreAfterSweep } from "./verify.ts";

/** How often a put that deletes or sweeps get in the way of starts over before the client is asked to. */
const rounds = 6;

/** A checked manifest on its way in. */
export interface ManifestPut {
  readonly name: RepositoryName;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly references: readonly Reference[];
  /** What the referrers list of the manifest's subject will say of it. */
  readonly referrer?: Omit<ReferrerEntry, "generation"> | undefined;
  readonly tags: readonly TagRequest[];
  /** Whether garbage collection takes manifests of this repository that no tag names. */
  readonly mayBeMarked?: boolean;
  /** Told of each tag that was made to name the manifest, and what it named before. */
  readonly onTagSet?: (tag: Tag, previous: Digest | undefined) => void;
}

/**
 * Stores a manifest and sets its tags, by the steps of docs/protocols.md "Manifest PUT": what it refers to is
 * checked, bytes are claimed and stored, the revision link is swapped to live under a new generation, each tag
 * is swapped to it, and a last look at guard, revision and tags makes sure that nothing was undone meanwhile.
 * @throws RegistryError 400 with one MANIFEST_BLOB_UNKNOWN for each missing reference, in order; 409 and 412 as
 *   setTag; 503 when others keep getting in the way.
 */
export async function putManifest(store: Store, put: ManifestPut): Promise<void> {
  const guard = await GuardWatch.begin(store);
  const settled = new Map<Tag, TagState>();
  for (let round = 0; round < rounds; round++) {
    const outcome = await attempt(store, put, guard, settled);
    if (outcome === "done") return;
    if (outcome === "swept") {
      await guard.waitUntilIdle();
      await restoreAfterSweep(store, put.name, put.references);
      await prepare(store, put);
    }
  }
  throw retryLater(1, "the manifest is being deleted by others");
}

async function attempt(
  store: Store,
  put: ManifestPut,
  guard: GuardWatch,
  settled: Map<Tag, TagState>,
): Promise<"done" | "swept" | "again"> {
  const { revision, tags, listedGeneration } = await look(store, put);
  const isLive = revision.target !== undefined;
  const superseded = put.tags.filter((request) => isSuperseded(request, settled, tags, revision));
  if (!isLive && superseded.length > 0) {
    // The tag was set, then the manifest was deleted and the tag went on to something else: the put came first.
    if (put.referrer) await unlistReferrer(store, put.name, put.referrer.subject, put.digest);
    return "done";
  }
  const wanted = put.tags.filter((request) => !superseded.includes(request));
  const known = { digest: put.digest, generation: isLive ? revision.generation : undefined };
  for (const request of wanted) {
    if (!settled.has(request.tag)) await refuse(store, put.name, request, known, stateOf(tags, request.tag));
  }

  const generation = isLive ? revision.generation : crypto.randomUUID();
  // What is put now is not to go because no tag named it before; another life has another generation.
  if (isLive && put.mayBeMarked) await removeMark(store, put.name, put.digest);
  if (!isLive) {
    await prepare(store, put);
    // A sweep under way may still take the claim that was just renewed. Were the link live by then and this request
    // dead, nobody would claim the manifest again.
    if (!(await guard.clean())) return "swept";
    if (!(await revive(store, put, revision, generation))) return "again";
  }
  if (put.referrer !== undefined && listedGeneration !== generation) {
    await putReferrer(store, put.name, put.digest, { ...put.referrer, generation });
  }
  const target: TagTarget = {
    digest: put.digest,
    mediaType: put.mediaType,
    size: put.bytes.byteLength,
    generation,
  };
  const changes = await mapBounded(wanted, store.concurrency, async (request): Promise<TagChange> => {
    const { tag } = request;
    // What this request has set once, it sets again without a condition: the condition held.
    const again = settled.has(tag) ? { tag, immutable: request.immutable } : request;
    const set = await setTag(store, put.name, again, target, stateOf(tags, tag), !isLive);
    const { state, changed } = set;
    if (changed && !settled.has(tag)) put.onTagSet?.(tag, set.previous);
    settled.set(tag, state);
    if (changed) await project(store, put.name, tag, state, put);
    return { tag, state, changed };
  });
  return lastLook(store, put, guard, generation, changes, settled);
}

interface TagChange {
  readonly tag: Tag;
  readonly state: TagState;
  readonly changed: boolean;
}

/**
 * Whether another writer has moved a tag after this request set it, so that the request has nothing more to do
 * for it: always if it was set under a condition, else if the life of the manifest that it was set to goes on.
 */
function isSuperseded(
  request: TagRequest,
  settled: ReadonlyMap<Tag, TagState>,
  tags: ReadonlyMap<Tag, TagState>,
  revision: Link,
): boolean {
  const mine = settled.get(request.tag);
  const { version } = stateOf(tags, request.tag);
  // No request deletes a register: one that is gone went in a sweep, as the tombstone that it was before.
  if (mine === undefined || version === undefined || mine.version === version) return false;
  return (
    request.condition !== undefined ||
    (revision.target !== undefined && isSameLife(revision.generation, mine.target?.generation ?? ""))
  );
}

interface Before {
  readonly revision: Link;
  readonly tags: ReadonlyMap<Tag, TagState>;
  /** The generation of the entry in the subject's referrers list, if there is one. */
  readonly listedGeneration: string | undefined;
}

/** One bounded round of reads: every reference, the revision, the tags, and the referrer entry if there is one. */
async function look(store: Store, put: ManifestPut): Promise<Before> {
  const { name, digest } = put;
  let revision: Link | undefined;
  let listedGeneration: string | undefined;
  const tags = new Map<Tag, TagState>();
  const missing = new Set<Reference>();
  const { referrer } = put;
  const reads: (() => Promise<void>)[] = [
    async () => {
      revision = await readLink(store, store.layout.revisionLink(name, digest), digest);
    },
    ...put.tags.map(({ tag }) => async () => {
      tags.set(tag, await readTag(store, name, tag));
    }),
    ...put.references
      .filter(({ required }) => required)
      .map((reference) => async () => {
        if (!(await exists(store, name, reference))) missing.add(reference);
      }),
  ];
  if (referrer !== undefined) {
    reads.push(async () => {
      listedGeneration = await listedReferrer(store, name, referrer.subject, digest);
    });
  }
  await mapBounded(reads, store.concurrency, (read) => read());
  const [first, ...others] = put.references
    .filter((reference) => missing.has(reference))
    .map((reference) => errorEntry("MANIFEST_BLOB_UNKNOWN", reference.digest));
  if (first !== undefined) throw RegistryError.of([first, ...others]);
  if (revision === undefined) throw new Error("the revision was not read");
  return { revision, tags, listedGeneration };
}

/** Whether the repository has what a manifest refers to: a blob by its layer link, a child by its revision. */
async function exists(store: Store, name: RepositoryName, reference: Reference): Promise<boolean> {
  const { layout } = store;
  const { digest, kind } = reference;
  const key = kind === "blob" ? layout.layerLink(name, digest) : layout.revisionLink(name, digest);
  return (await readLink(store, key, digest)).target !== undefined;
}

/** Claims and stores the bytes, and writes the indexes that must be there before what they lead to. */
async function prepare(store: Store, put: ManifestPut): Promise<void> {
  const { name, digest, bytes } = put;
  const { layout, bucket } = store;
  let isListed = true;
  const writes: (() => Promise<unknown>)[] = [
    () => claim(store, digest, name),
    () => putData(store, digest, bytes),
    async () => {
      isListed = (await bucket.head(layout.catalog(name))) !== null;
    },
    ...put.tags.map(
      ({ tag }) =>
        () =>
          whenWritable(store, () => bucket.put(layout.tagged(name, digest, tag), "")),
    ),
  ];
  await mapBounded(writes, store.concurrency, (write) => write());
  if (!isListed) await whenWritable(store, () => bucket.put(layout.catalog(name), ""));
}

async function revive(store: Store, put: ManifestPut, revision: Link, generation: string): Promise<boolean> {
  const { name, digest, mediaType, bytes, referrer, references } = put;
  const { body, metadata } = liveLink({
    digest,
    size: bytes.byteLength,
    mediaType,
    generation,
    subject: referrer?.subject,
    references: references.map((reference) => reference.digest),
  });
  const key = store.layout.revisionLink(name, digest);
  return (await swap(store, key, revision.version, body, metadata)) !== undefined;
}

/** The last round: guard, revision and the tags that were set are looked at together. */
async function lastLook(
  store: Store,
  put: ManifestPut,
  guard: GuardWatch,
  generation: string,
  changes: readonly TagChange[],
  settled: Map<Tag, TagState>,
): Promise<"done" | "swept" | "again"> {
  const { name, digest } = put;
  let isClean = false;
  let isLive = false;
  let isSettled = true;
  const reads: (() => Promise<void>)[] = [
    async () => {
      isClean = await guard.clean();
    },
    async () => {
      const revision = await readLink(store, store.layout.revisionLink(name, digest), digest);
      isLive = revision.target !== undefined && isSameLife(revision.generation, generation);
    },
    ...changes.map((change) => async () => {
      if (await settle(store, put, change)) return;
      // Not as one that another writer has moved after this request: that one may have come before it.
      settled.delete(change.tag);
      isSettled = false;
    }),
  ];
  await mapBounded(reads, store.concurrency, (read) => read());
  if (!isClean) return "swept";
  return isLive && isSettled ? "done" : "again";
}

/**
 * After a change: projects again if the register moved. Without one: see `confirmTag`.
 * @returns false if the tag has to be looked at again.
 */
async function settle(store: Store, put: ManifestPut, { tag, state, changed }: TagChange): Promise<boolean> {
  if (!changed) return confirmTag(store, put.name, tag, state, put);
  const now = await readTag(store, put.name, tag);
  if (now.version !== state.version) await projectUntilStable(store, put.name, tag, now, put);
  return true;
}

function stateOf(tags: ReadonlyMap<Tag, TagState>, tag: Tag): TagState {
  const state = tags.get(tag);
  if (state === undefined) throw new Error("the tag was not read");
  return state;
}
