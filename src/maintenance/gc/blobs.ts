import type { Digest } from "../../oci/digest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { readLink } from "../../storage/link.ts";
import { objects } from "../pages.ts";
import { type Collector, isOlder, sweepBatch } from "./collector.ts";
import { note } from "./report.ts";
import type { Ranks } from "./sweep.ts";

/** Blobs that one batch of the merge looks at. */
const batch = 200;

/** What the sorted listings say of one blob. */
interface Seen {
  readonly digest: Digest;
  readonly data: R2Object | undefined;
  readonly owners: readonly { readonly name: RepositoryName; readonly object: R2Object }[];
  /** The record of an earlier pass that saw the blob without owner. */
  readonly orphan: R2Object | undefined;
}

/** Which claims a pass looks at: those younger than this time, since older ones were looked at before. */
export interface ClaimScope {
  readonly since: number;
}

/**
 * Walks over all blobs, all claims and all records of orphans at once: their keys sort alike. Claims without a
 * link go, and blob data goes that had no owner in an earlier pass and has none now.
 * @param startAfter the last digest that an earlier step dealt with.
 * @returns the last digest of each batch that is dealt with, for the cursor.
 */
export async function* collectBlobs(
  collector: Collector,
  scope: ClaimScope,
  startAfter: Digest | undefined,
): AsyncGenerator<Digest> {
  let seen: Seen[] = [];
  for await (const blob of merge(collector, startAfter)) {
    seen.push(blob);
    if (seen.length < batch) continue;
    yield await dealWith(collector, scope, seen);
    seen = [];
  }
  if (seen.length > 0) yield await dealWith(collector, scope, seen);
}

async function* merge(collector: Collector, startAfter: Digest | undefined): AsyncGenerator<Seen> {
  const { store } = collector;
  const { layout } = store;
  const data = objects(store, layout.blobs(), startAfter && layout.blobData(startAfter));
  // "0" comes right after "/": the claims on the digest itself are behind it.
  const owners = objects(
    store,
    layout.allOwners(),
    startAfter && `${layout.owners(startAfter).slice(0, -1)}0`,
  );
  const orphans = objects(store, layout.orphans(), startAfter && layout.orphan(startAfter));
  const heads = { data: await data.next(), owners: await owners.next(), orphans: await orphans.next() };
  for (;;) {
    const digests = [heads.data.value, heads.owners.value, heads.orphans.value]
      .map((object) => object && digestOf(collector, object))
      .filter((digest) => digest !== undefined);
    const digest = digests.toSorted()[0];
    if (digest === undefined) {
      if (heads.data.done && heads.owners.done && heads.orphans.done) return;
      // A stray key, which is none of ours: step over it.
      if (isStray(collector, heads.data.value)) heads.data = await data.next();
      else if (isStray(collector, heads.owners.value)) heads.owners = await owners.next();
      else heads.orphans = await orphans.next();
      continue;
    }
    const claims: Seen["owners"][number][] = [];
    let own: R2Object | undefined;
    let orphan: R2Object | undefined;
    if (heads.data.value && digestOf(collector, heads.data.value) === digest) {
      own = heads.data.value;
      heads.data = await data.next();
    }
    while (heads.owners.value && digestOf(collector, heads.owners.value) === digest) {
      const key = layout.parse(heads.owners.value.key);
      if (key?.kind === "owner") claims.push({ name: key.name, object: heads.owners.value });
      heads.owners = await owners.next();
    }
    if (heads.orphans.value && digestOf(collector, heads.orphans.value) === digest) {
      orphan = heads.orphans.value;
      heads.orphans = await orphans.next();
    }
    yield { digest, data: own, owners: claims, orphan };
  }
}

function digestOf(collector: Collector, object: R2Object): Digest | undefined {
  const key = collector.store.layout.parse(object.key);
  return key !== undefined && "digest" in key ? key.digest : undefined;
}

function isStray(collector: Collector, object: R2Object | undefined): boolean {
  return object !== undefined && digestOf(collector, object) === undefined;
}

async function dealWith(collector: Collector, scope: ClaimScope, seen: readonly Seen[]): Promise<Digest> {
  const { store, dryRun } = collector;
  const { bucket, layout } = store;
  const idle = await findIdleClaims(collector, scope, seen);
  if (idle.length > 0) await sweepClaims(collector, idle);

  const orphaned: Seen[] = [];
  await mapBounded(seen, store.concurrency, async (blob) => {
    if (blob.owners.length > 0 || blob.data === undefined) {
      if (blob.orphan !== undefined && !dryRun) await bucket.delete(layout.orphan(blob.digest));
    } else if (blob.orphan === undefined) {
      if (!dryRun)
        await bucket.put(layout.orphan(blob.digest), "", {
          customMetadata: { pass: String(collector.pass) },
        });
    } else if (isOlder(collector, blob.orphan, collector.policy.grace)) {
      orphaned.push(blob);
    }
  });
  if (orphaned.length > 0) await sweepData(collector, orphaned);
  const last = seen.at(-1);
  if (last === undefined) throw new Error("an empty batch");
  return last.digest;
}

interface IdleClaim {
  readonly digest: Digest;
  readonly name: RepositoryName;
}

/** Claims older than the grace that no link stands behind. Repositories of the others are noted for a visit. */
async function findIdleClaims(
  collector: Collector,
  scope: ClaimScope,
  seen: readonly Seen[],
): Promise<readonly IdleClaim[]> {
  const { store, policy } = collector;
  const due = seen.flatMap(({ digest, owners }) =>
    owners
      .filter(
        ({ object }) => object.uploaded.getTime() >= scope.since && isOlder(collector, object, policy.grace),
      )
      .map(({ name }) => ({ digest, name })),
  );
  const linked = await mapBounded(due, store.concurrency, (claim) => isLinked(collector, claim));
  const names = new Set(due.filter((_, index) => linked[index]).map(({ name }) => name));
  if (!collector.dryRun)
    await mapBounded(names, store.concurrency, (name) => noteRepository(collector, name));
  return due.filter((_, index) => !linked[index]);
}

async function isLinked(collector: Collector, { digest, name }: IdleClaim): Promise<boolean> {
  const { store } = collector;
  const [layer, revision] = await Promise.all([
    readLink(store, store.layout.layerLink(name, digest), digest),
    readLink(store, store.layout.revisionLink(name, digest), digest),
  ]);
  return layer.target !== undefined || revision.target !== undefined;
}

/** A repository to which only blobs were pushed is in no catalog; passes find it here. */
async function noteRepository(collector: Collector, name: RepositoryName): Promise<void> {
  const { bucket, layout } = collector.store;
  if ((await bucket.head(layout.catalog(name))) !== null) return;
  if ((await bucket.head(layout.gcRepository(name))) === null)
    await bucket.put(layout.gcRepository(name), "");
}

async function sweepClaims(collector: Collector, idle: readonly IdleClaim[]): Promise<void> {
  const { store, policy, report } = collector;
  const verify = async () => {
    const keys = await mapBounded(idle, store.concurrency, async (claim) => {
      const key = store.layout.owner(claim.digest, claim.name);
      const owner = await store.bucket.head(key);
      if (owner === null || !isOlder(collector, owner, policy.grace)) return undefined;
      return (await isLinked(collector, claim)) ? undefined : key;
    });
    return [keys.filter((key) => key !== undefined)];
  };
  await sweepBatch(collector, verify, ([keys = []]) => {
    report.counts.claims += keys.length;
  });
}

/** Deletes blob data that had no owner in an earlier pass (the two-run rule) and has none now. */
async function sweepData(collector: Collector, orphaned: readonly Seen[]): Promise<void> {
  const { store, pass, report } = collector;
  const { bucket, layout } = store;
  if (collector.foreign) {
    note(report, "something was written beside Skerry: no blob data is deleted in this pass");
    return;
  }
  const sizes = new Map<string, number>();
  const verify = async (): Promise<Ranks> => {
    const free = await mapBounded(orphaned, store.concurrency, async ({ digest, orphan, data }) => {
      if (orphan === undefined || data === undefined) return undefined;
      const seenBefore = await bucket.head(orphan.key);
      if (seenBefore?.customMetadata?.pass === undefined) return undefined;
      if (Number(seenBefore.customMetadata.pass) === pass) return undefined;
      const owners = await bucket.list({ prefix: layout.owners(digest), limit: 1 });
      if (owners.objects.length > 0) return undefined;
      sizes.set(data.key, data.size);
      return { data: data.key, orphan: orphan.key };
    });
    const deletable = free.filter((keys) => keys !== undefined);
    return [deletable.map((keys) => keys.data), deletable.map((keys) => keys.orphan)];
  };
  await sweepBatch(collector, verify, ([keys = []]) => {
    report.counts.blobs += keys.length;
    report.counts.blobBytes += keys.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0);
  });
}
