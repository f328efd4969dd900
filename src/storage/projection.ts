import type { Digest } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { mapBounded } from "./bounded.ts";
import { whenWritable } from "./register.ts";
import type { Store } from "./store.ts";
import { isCarried } from "./tag-records.ts";
import { readTag, type TagHead, type TagState, type TagTarget } from "./tag-register.ts";

/** A writer that goes on losing the race for this many rounds leaves the projections to those who win it. */
const rounds = 10;

/** Metadata that tells `current/link` as Skerry writes it from one of distribution's, which has none. */
const ownLink = { projected: "1" };

/** Whether `current/link` is a projection of Skerry's. @param object as a head or a listing with metadata shows it. */
export function isOwnLink(object: R2Object): boolean {
  return object.customMetadata?.projected !== undefined;
}

/** A manifest at hand, so that a projection need not read it. */
export interface KnownManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Writes what the register says where others look for it: distribution's `current/link` and the record in KV.
 * Whoever projects must look at the register afterwards (`projectUntilStable`), or a slower writer's projection
 * of an older state would stay.
 */
export async function project(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  state: TagHead,
  known?: KnownManifest,
): Promise<void> {
  await Promise.all([
    projectLink(store, name, tag, state.target),
    projectRecord(store, name, tag, state.target, known),
  ]);
}

/**
 * Projects, looks at the register again, and repeats until it stood still meanwhile.
 * @returns the state that the last look found.
 */
export async function projectUntilStable(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  state: TagState,
  known?: KnownManifest,
): Promise<TagState> {
  let projected = state;
  for (let round = 0; round < rounds; round++) {
    await project(store, name, tag, projected, known);
    const now = await readTag(store, name, tag);
    if (now.version === projected.version) return now;
    projected = now;
  }
  return projected;
}

/**
 * Takes away the projections of tags whose registers are tombstones: one delete for all of distribution's links
 * and one for each record in KV. As with `project`, the caller looks at the registers afterwards.
 * @param tags at most 1,000.
 */
export async function unproject(store: Store, name: RepositoryName, tags: readonly Tag[]): Promise<void> {
  const { bucket, tagRecords } = store;
  if (tags.length === 0) return;
  const links = tags.map((tag) => store.layout.currentLink(name, tag));
  const deletes: (() => Promise<void>)[] = [() => bucket.delete(links)];
  if (tagRecords !== undefined) deletes.push(...tags.map((tag) => () => tagRecords.delete(name, tag)));
  await mapBounded(deletes, store.concurrency, (run) => run());
}

async function projectLink(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  target: TagTarget | undefined,
): Promise<void> {
  const key = store.layout.currentLink(name, tag);
  if (target === undefined) {
    await store.bucket.delete(key);
    return;
  }
  await whenWritable(store, () => store.bucket.put(key, target.digest, { customMetadata: ownLink }));
}

/** Writes, or takes away, the record in KV alone; otherwise as `project`. */
export async function projectRecord(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  target: TagTarget | undefined,
  known?: KnownManifest,
): Promise<void> {
  const records = store.tagRecords;
  if (records === undefined) return;
  if (target === undefined) return records.delete(name, tag);
  const bytes = known?.digest === target.digest ? known.bytes : await carriedBytes(store, target);
  await records.put(name, tag, target, bytes, store.clock.now());
}

async function carriedBytes(store: Store, target: TagTarget): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!isCarried(target.size)) return undefined;
  const data = await store.bucket.get(store.layout.blobData(target.digest));
  return data === null ? undefined : new Uint8Array(await data.arrayBuffer());
}
