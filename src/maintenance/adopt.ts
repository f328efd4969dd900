import { mapBounded } from "../storage/bounded.ts";
import { listAdopted } from "../storage/catalog.ts";
import type { Key } from "../storage/key.ts";
import { linkOf } from "../storage/link.ts";
import { metered, OutOfOperations } from "../storage/metered-bucket.ts";
import { whenWritable } from "../storage/register.ts";
import type { Store } from "../storage/store.ts";
import { adoptReferrerRemoval, adoptTagRemoval } from "./adopt-removals.ts";
import { adoptTag } from "./adopt-tag.ts";
import { isDistributions } from "./distribution-keys.ts";
import { type Adoption, adoptLayerLink, adoptRevision } from "./foreign-links.ts";
import { pages } from "./pages.ts";

/** Operations that a step keeps to read and write down where it stands. */
const reserve = 8;
/** What the adoption of one key takes at most when nobody interferes: a tag, whose manifest was not adopted. */
const operationsPerKey = 10;
/** The fewest operations with which a step gets any further: one listing and one key. */
export const fewestAdoptOperations = reserve + operationsPerKey + 1;
/** Notes that are kept. */
const maxNotes = 1000;

/** Where the adoption of a bucket stands; kept in the bucket between steps. */
export interface AdoptState {
  readonly done: boolean;
  /** Whether tags that distribution has moved or removed since an earlier adoption follow it. */
  readonly again: boolean;
  /** When it began again, Unix time in milliseconds: which one it is. Absent: it is the first. */
  readonly begun?: number;
  /** The last key that is dealt with. */
  readonly cursor?: string;
  readonly counts: {
    /** Keys looked at, but for those that Skerry adds. */
    readonly keys: number;
    readonly layerLinks: number;
    readonly manifests: number;
    readonly tags: number;
    /** Tags that distribution has removed since an earlier adoption. */
    readonly removed: number;
    readonly skipped: number;
  };
  /** What was left alone, and why: unreadable, empty or dangling links, stray files. The first 1,000. */
  readonly notes: readonly string[];
}

const beginning: AdoptState = {
  done: false,
  again: false,
  counts: { keys: 0, layerLinks: 0, manifests: 0, tags: 0, removed: 0, skipped: 0 },
  notes: [],
};

/**
 * One bounded step of taking over a bucket that distribution wrote (docs/migrate.md): claims, metadata of links,
 * referrers, tag registers and catalog entries are written beside what is there; nothing is deleted, and what
 * Skerry wrote is left alone. It may run beside requests. A step may die anywhere: the next one does again what
 * that one had not written down.
 * @param operations R2 operations that the step may use: `fewestAdoptOperations` and more.
 */
export async function runAdoptStep(store: Store, operations: number): Promise<AdoptState> {
  if (operations < fewestAdoptOperations)
    throw new RangeError(`${fewestAdoptOperations} operations at least`);
  let state = (await readAdoption(store)) ?? beginning;
  if (state.done) return state;
  const meteredStore = metered(store, operations - reserve);
  try {
    const listing = { startAfter: state.cursor, metadata: true };
    for await (const page of pages(meteredStore, store.layout.repositories(), listing)) {
      for (let from = 0; from < page.length; ) {
        meteredStore.bucket.need(operationsPerKey);
        const keys = page.slice(from, from + Math.floor(meteredStore.bucket.left / operationsPerKey));
        state = add(state, await adoptKeys(meteredStore, keys, state.again), keys);
        from += keys.length;
      }
    }
    state = { ...state, done: true };
  } catch (error) {
    if (!(error instanceof OutOfOperations)) throw error;
  } finally {
    await writeState(store, state);
  }
  return state;
}

/** Where the adoption stands; undefined if none was ever begun. */
export async function readAdoption(store: Store): Promise<AdoptState | undefined> {
  const object = await store.bucket.get(store.layout.adoptState());
  return object === null ? undefined : object.json<AdoptState>();
}

/** Begins again: for a bucket that distribution has written to once more. */
export async function restartAdoption(store: Store): Promise<void> {
  await writeState(store, { ...beginning, again: true, begun: store.clock.now() });
}

interface Adopted {
  readonly layerLinks: number;
  readonly manifests: number;
  readonly tags: number;
  readonly removed: number;
  readonly notes: readonly string[];
}

/** Some keys in their order: layer links first, then revisions, then tags, since each rests on those before. */
async function adoptKeys(store: Store, objects: readonly R2Object[], again: boolean): Promise<Adopted> {
  const notes: string[] = [];
  const found = objects.map((object) => ({ object, key: store.layout.parse(object.key) }));
  const ofKind = <Kind extends Key["kind"]>(kind: Kind) =>
    found.flatMap(({ object, key }) =>
      key?.kind === kind ? [{ object, key: key as Extract<Key, { kind: Kind }> }] : [],
    );
  for (const { object, key } of found) {
    if (key === undefined && !isOwn(object.key) && !isDistributions(object.key))
      notes.push(`stray: ${object.key}`);
  }
  const tell = (adoption: Adoption, what: string) => {
    if (adoption !== "adopted" && adoption !== "kept") notes.push(`${adoption}: ${what}`);
    return adoption === "adopted";
  };

  const layers = ofKind("layerLink").filter(({ object, key }) => linkOf(object, key.digest) === undefined);
  const adoptedLayers = await mapBounded(layers, store.concurrency, async ({ key: { name, digest } }) =>
    tell(await adoptLayerLink(store, name, digest, "once"), `layer link ${digest} of ${name}`),
  );
  const revisions = ofKind("revisionLink").filter(
    ({ object, key }) => linkOf(object, key.digest) === undefined,
  );
  const names = new Set(revisions.map(({ key }) => key.name));
  await mapBounded(names, store.concurrency, (name) => listAdopted(store, name));
  const adoptedRevisions = await mapBounded(revisions, store.concurrency, async ({ key: { name, digest } }) =>
    tell((await adoptRevision(store, name, digest)).adoption, `manifest ${digest} of ${name}`),
  );
  const tags = ofKind("currentLink");
  const adoptedTags = await mapBounded(tags, store.concurrency, async ({ key: { name, tag } }) =>
    tell(await adoptTag(store, name, tag, again), `tag ${tag} of ${name}`),
  );
  const removedTags = await mapBounded(again ? ofKind("tag") : [], store.concurrency, ({ object, key }) =>
    adoptTagRemoval(store, object, key),
  );
  await mapBounded(again ? ofKind("referrer") : [], store.concurrency, ({ key }) =>
    adoptReferrerRemoval(store, key),
  );
  const count = (list: readonly boolean[]) => list.filter(Boolean).length;
  return {
    layerLinks: count(adoptedLayers),
    manifests: count(adoptedRevisions),
    tags: count(adoptedTags),
    removed: count(removedTags.map((removal) => removal === "removed")),
    notes,
  };
}

function isOwn(key: string): boolean {
  return key.includes("/_skerry/");
}

function add(state: AdoptState, adopted: Adopted, keys: readonly R2Object[]): AdoptState {
  const { counts } = state;
  const cursor = keys.at(-1)?.key ?? state.cursor;
  return {
    ...state,
    ...(cursor !== undefined && { cursor }),
    counts: {
      keys: counts.keys + keys.filter(({ key }) => !isOwn(key)).length,
      layerLinks: counts.layerLinks + adopted.layerLinks,
      manifests: counts.manifests + adopted.manifests,
      tags: counts.tags + adopted.tags,
      removed: counts.removed + adopted.removed,
      skipped: counts.skipped + adopted.notes.length,
    },
    notes: [...state.notes, ...adopted.notes].slice(0, maxNotes),
  };
}

async function writeState(store: Store, state: AdoptState): Promise<void> {
  await whenWritable(store, () => store.bucket.put(store.layout.adoptState(), JSON.stringify(state)));
}
