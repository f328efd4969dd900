import { tryParseDigest } from "../oci/digest.ts";
import { manifestOf } from "../oci/manifest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { mapBounded } from "../storage/bounded.ts";
import type { Key } from "../storage/key.ts";
import { linkOf, readLink } from "../storage/link.ts";
import { MeteredBucket, OutOfOperations } from "../storage/metered-bucket.ts";
import { whenWritable } from "../storage/register.ts";
import type { Store } from "../storage/store.ts";
import { readTag, swapTag } from "../storage/tag-register.ts";
import { type Adoption, adoptLayerLink, adoptRevision } from "./foreign-links.ts";
import { pages } from "./pages.ts";

/** Operations that a step keeps to write down where it stands. */
const reserve = 5;
/** Notes that are kept. */
const maxNotes = 1000;

/** Where the adoption of a bucket stands; kept in the bucket between steps. */
export interface AdoptState {
  readonly done: boolean;
  /** The last key that is dealt with. */
  readonly cursor?: string;
  readonly counts: {
    readonly keys: number;
    readonly layerLinks: number;
    readonly manifests: number;
    readonly tags: number;
    readonly skipped: number;
  };
  /** What was left alone, and why: unreadable, empty or dangling links, stray files. */
  readonly notes: readonly string[];
}

const beginning: AdoptState = {
  done: false,
  counts: { keys: 0, layerLinks: 0, manifests: 0, tags: 0, skipped: 0 },
  notes: [],
};

/**
 * One bounded step of taking over a bucket that distribution wrote (docs/migrate.md): claims, metadata of links,
 * referrers, tag registers and catalog entries are written beside what is there; nothing is deleted, and what
 * Skerry wrote is left alone. A step may die anywhere; the next goes on from the last page.
 * @param operations R2 operations that the step may use, 1,100 and more for a page of 1,000 keys.
 */
export async function runAdoptStep(store: Store, operations: number): Promise<AdoptState> {
  const bucket = new MeteredBucket(store.bucket, operations - reserve);
  const metered: Store = { ...store, bucket };
  let state = await readState(store);
  if (state.done) return state;
  try {
    for await (const page of pages(metered, store.layout.repositories(), {
      startAfter: state.cursor,
      metadata: true,
    })) {
      const step = await adoptPage(metered, page);
      const cursor = page.at(-1)?.key ?? state.cursor;
      state = add(state, step, page.length, cursor);
      await writeState(store, state);
    }
  } catch (error) {
    if (!(error instanceof OutOfOperations)) throw error;
    return state;
  }
  state = { ...state, done: true };
  await writeState(store, state);
  return state;
}

/** Begins again: for a bucket that distribution has written to once more. */
export async function resetAdoption(store: Store): Promise<void> {
  await writeState(store, beginning);
}

interface PageResult {
  readonly layerLinks: number;
  readonly manifests: number;
  readonly tags: number;
  readonly notes: readonly string[];
}

/** A page of keys: layer links first, then revisions, then tags, since each rests on those before. */
async function adoptPage(store: Store, page: readonly R2Object[]): Promise<PageResult> {
  const notes: string[] = [];
  const found = page.map((object) => ({ object, key: store.layout.parse(object.key) }));
  const foreign = <Kind extends Key["kind"]>(kind: Kind) =>
    found.flatMap(({ object, key }) =>
      key?.kind === kind ? [{ object, key: key as Extract<Key, { kind: Kind }> }] : [],
    );
  for (const { object, key } of found) {
    if (key === undefined && !isKnownElsewhere(object.key)) notes.push(`stray: ${object.key}`);
  }
  const tell = (adoption: Adoption, what: string) => {
    if (adoption !== "adopted" && adoption !== "kept") notes.push(`${adoption}: ${what}`);
    return adoption === "adopted";
  };

  const layers = foreign("layerLink").filter(({ object, key }) => linkOf(object, key.digest) === undefined);
  const adoptedLayers = await mapBounded(layers, store.concurrency, async ({ key: { name, digest } }) =>
    tell(await adoptLayerLink(store, name, digest), `layer link ${digest} of ${name}`),
  );
  const revisions = foreign("revisionLink").filter(
    ({ object, key }) => linkOf(object, key.digest) === undefined,
  );
  const names = new Set(revisions.map(({ key }) => key.name));
  await mapBounded(names, store.concurrency, (name) => listInCatalog(store, name));
  const adoptedRevisions = await mapBounded(revisions, store.concurrency, async ({ key: { name, digest } }) =>
    tell((await adoptRevision(store, name, digest)).adoption, `manifest ${digest} of ${name}`),
  );
  const adoptedTags = await mapBounded(
    foreign("currentLink"),
    store.concurrency,
    async ({ object, key: { name, tag } }) =>
      tell(await adoptTag(store, name, tag, object.uploaded.getTime()), `tag ${tag} of ${name}`),
  );
  const count = (list: readonly boolean[]) => list.filter(Boolean).length;
  return {
    layerLinks: count(adoptedLayers),
    manifests: count(adoptedRevisions),
    tags: count(adoptedTags),
    notes,
  };
}

/** Keys of distribution that Skerry has no use for: the index of a tag's earlier digests, unfinished uploads. */
function isKnownElsewhere(key: string): boolean {
  return /\/_manifests\/tags\/[^/]+\/index\/|\/_uploads\/|\/_skerry\//.test(key);
}

async function listInCatalog(store: Store, name: RepositoryName): Promise<void> {
  const key = store.layout.catalog(name);
  if ((await store.bucket.head(key)) !== null) return;
  await whenWritable(store, () => store.bucket.put(key, "", { customMetadata: { adopted: "1" } }));
}

/** Makes a register of a tag that distribution wrote, unless there is one. It may run beside requests. */
async function adoptTag(store: Store, name: RepositoryName, tag: Tag, at: number): Promise<Adoption> {
  const { bucket, layout } = store;
  const before = await readTag(store, name, tag);
  if (before.version !== undefined) return "kept";
  const link = await bucket.get(layout.currentLink(name, tag));
  const digest = tryParseDigest((await link?.text()) ?? "");
  if (digest === undefined) return "unreadable";
  const revision = await readLink(store, layout.revisionLink(name, digest), digest);
  if (revision.target === undefined) return "dangling";
  const facts = await factsOf(store, digest, revision);
  if (facts === undefined) return "dangling";
  await whenWritable(store, () => bucket.put(layout.tagged(name, digest, tag), ""));
  const target = { digest, generation: revision.generation, ...facts };
  // Lost to a request that set or removed the tag: its word is newer.
  return (await swapTag(store, name, tag, before, target, at)) === undefined ? "kept" : "adopted";
}

async function factsOf(store: Store, digest: string, revision: Awaited<ReturnType<typeof readLink>>) {
  const { mediaType, size } = revision;
  if (mediaType !== undefined && size !== undefined) return { mediaType, size };
  const parsed = tryParseDigest(digest);
  const data = parsed && (await store.bucket.get(store.layout.blobData(parsed)));
  if (!data) return undefined;
  const bytes = new Uint8Array(await data.arrayBuffer());
  const manifest = manifestOf(bytes);
  return manifest && { mediaType: manifest.mediaType, size: bytes.byteLength };
}

function add(state: AdoptState, step: PageResult, keys: number, cursor: string | undefined): AdoptState {
  const { counts } = state;
  return {
    done: false,
    ...(cursor !== undefined && { cursor }),
    counts: {
      keys: counts.keys + keys,
      layerLinks: counts.layerLinks + step.layerLinks,
      manifests: counts.manifests + step.manifests,
      tags: counts.tags + step.tags,
      skipped: counts.skipped + step.notes.length,
    },
    notes: [...state.notes, ...step.notes].slice(0, maxNotes),
  };
}

async function readState(store: Store): Promise<AdoptState> {
  const object = await store.bucket.get(store.layout.adoptState());
  return object === null ? beginning : object.json<AdoptState>();
}

async function writeState(store: Store, state: AdoptState): Promise<void> {
  await store.bucket.put(store.layout.adoptState(), JSON.stringify(state));
}
