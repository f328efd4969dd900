import { type Digest, tryParseDigest } from "../../oci/digest.ts";
import { type RepositoryName, tryParseRepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { objects } from "../pages.ts";
import { collectClaims, collectJournaled } from "./claims.ts";
import { type Collector, isOlder, sweepBatch } from "./collector.ts";
import { wasWrittenLately } from "./foreign-writes.ts";
import { note } from "./report.ts";
import type { Ranks } from "./sweep.ts";

/** Blobs and claims that one batch of the merge looks at, at most. */
const batch = 200;
/** Operations that a claim or a blob takes at most. */
const toLookAt = 8;
/** Claims on one blob that are looked at together, at most: a popular one has very many. */
const claimsTogether = 50;

/** What the sorted listings say of one blob; of a popular one they say it in parts. */
interface Seen {
  readonly digest: Digest;
  readonly data: R2Object | undefined;
  readonly owners: readonly { readonly name: RepositoryName; readonly object: R2Object }[];
  /** The record of an earlier pass that saw the blob without owner. */
  readonly orphan: R2Object | undefined;
}

/** Which claims a pass looks at, beside those in journals: not those before this time, which were looked at then. */
export interface ClaimScope {
  readonly since: number;
}

/** How far the merge has come: the blob, and the last claim on it that was looked at. */
interface Position {
  readonly digest: Digest;
  readonly name: RepositoryName | undefined;
}

/**
 * Walks over all blobs, all claims and all records of orphans at once: their keys sort alike. Claims without a
 * link go, and blob data goes that had no owner in an earlier pass and has none now.
 * @param cursor where an earlier step has come to.
 * @returns how far it has come after each batch, for the cursor.
 * @throws OutOfOperations
 */
export async function* collectBlobs(
  collector: Collector,
  scope: ClaimScope,
  cursor: string | undefined,
): AsyncGenerator<string> {
  if (cursor === undefined) await collectJournaled(collector);
  let seen: Seen[] = [];
  let size = 0;
  const isDue = (object: R2Object) =>
    object.uploaded.getTime() >= scope.since && isOlder(collector, object, collector.policy.grace);
  for await (const blob of merge(collector, parsePosition(cursor))) {
    seen.push(blob);
    size += 1 + blob.owners.filter(({ object }) => isDue(object)).length;
    if (size < Math.min(batch, roomIn(collector) - togetherIn(collector))) continue;
    yield await dealWith(collector, isDue, seen);
    seen = [];
    size = 0;
  }
  if (seen.length > 0) yield await dealWith(collector, isDue, seen);
}

/** How many claims and blobs the operations that are left suffice for. */
function roomIn(collector: Collector): number {
  return Math.floor(collector.bucket.left / toLookAt);
}

function togetherIn(collector: Collector): number {
  return Math.max(1, Math.min(claimsTogether, Math.floor(roomIn(collector) / 4)));
}

function parsePosition(cursor: string | undefined): Position | undefined {
  const [first = "", second = ""] = cursor?.split(" ") ?? [];
  const digest = tryParseDigest(first);
  return digest && { digest, name: tryParseRepositoryName(second) };
}

function printPosition({ digest, owners }: Seen): string {
  const last = owners.at(-1);
  return last === undefined ? digest : `${digest} ${last.name}`;
}

async function* merge(collector: Collector, after: Position | undefined): AsyncGenerator<Seen> {
  const { layout } = collector.store;
  const data = walk(collector, layout.blobs(), after && layout.blobData(after.digest));
  // "0" comes right after "/": the claims on the digest itself are behind it.
  const owners = walk(
    collector,
    layout.allOwners(),
    after &&
      (after.name ? layout.owner(after.digest, after.name) : `${layout.owners(after.digest).slice(0, -1)}0`),
  );
  const orphans = walk(collector, layout.orphans(), after && layout.orphan(after.digest));
  let [blob, owner, orphan] = [await data.next(), await owners.next(), await orphans.next()];
  for (;;) {
    const [digest] = [blob, owner, orphan].flatMap(({ value }) => value?.digest ?? []).toSorted();
    if (digest === undefined) return;
    let own: R2Object | undefined;
    let record: R2Object | undefined;
    if (blob.value?.digest === digest) {
      own = blob.value.object;
      blob = await data.next();
    }
    if (orphan.value?.digest === digest) {
      record = orphan.value.object;
      orphan = await orphans.next();
    }
    let claims: Seen["owners"][number][] = [];
    while (owner.value?.digest === digest) {
      const { name, object } = owner.value;
      if (name !== undefined) claims.push({ name, object });
      owner = await owners.next();
      if (claims.length < togetherIn(collector) || owner.value?.digest !== digest) continue;
      yield { digest, data: own, owners: claims, orphan: record };
      [own, record, claims] = [undefined, undefined, []];
    }
    yield { digest, data: own, owners: claims, orphan: record };
  }
}

interface Walked {
  readonly digest: Digest;
  /** Of a claim. */
  readonly name: RepositoryName | undefined;
  readonly object: R2Object;
}

/** A listing, without the keys that are none of Skerry's. */
async function* walk(
  collector: Collector,
  prefix: string,
  startAfter: string | undefined,
): AsyncGenerator<Walked, undefined> {
  for await (const object of objects(collector.store, prefix, startAfter)) {
    const key = collector.store.layout.parse(object.key);
    if (key === undefined || !("digest" in key)) continue;
    yield { digest: key.digest, name: "name" in key ? key.name : undefined, object };
  }
  return undefined;
}

async function dealWith(
  collector: Collector,
  isDue: (claim: R2Object) => boolean,
  seen: readonly Seen[],
): Promise<string> {
  const { store, dryRun } = collector;
  const { bucket, layout } = store;
  const due = seen.flatMap(({ digest, owners }) =>
    owners.filter(({ object }) => isDue(object)).map(({ name }) => ({ digest, name })),
  );
  await collectClaims(collector, due);

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
  return printPosition(last);
}

/** Deletes blob data that had no owner in an earlier pass (the two-run rule) and has none now. */
async function sweepData(collector: Collector, orphaned: readonly Seen[]): Promise<void> {
  const { store, pass, policy, report } = collector;
  const { bucket, layout } = store;
  if (collector.foreign) {
    note(report, "something was written beside Skerry: no blob data is deleted in this pass");
    return;
  }
  const sizes = new Map<string, number>();
  const verify = async (): Promise<Ranks> => {
    if (await wasWrittenLately(store, policy)) return [];
    const free = await mapBounded(orphaned, store.concurrency, async ({ digest, orphan, data }) => {
      if (orphan === undefined || data === undefined) return undefined;
      const seenBefore = await bucket.head(orphan.key);
      if (seenBefore?.customMetadata?.pass === undefined) return undefined;
      if (Number(seenBefore.customMetadata.pass) === pass) return undefined;
      // Another collector may have seen a claim and no claim again since the listing.
      if (!isOlder(collector, seenBefore, policy.grace)) return undefined;
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
