import type { Digest } from "../../oci/digest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { noteProgress, parseProgress } from "../../storage/delete-progress.ts";
import { readLink } from "../../storage/link.ts";
import { Removal, removeTags } from "../../storage/manifest-untag.ts";
import { OutOfOperations } from "../../storage/metered-bucket.ts";
import { unlistReferrer } from "../../storage/referrer-entry.ts";
import { type Collector, described, isOlder, sweepBatch } from "./collector.ts";
import { note } from "./report.ts";
import type { ListedTombstone } from "./revisions.ts";
import { batchSize, type Ranks } from "./sweep.ts";

/** Operations that verify one tombstone. */
const toVerify = 3;
/** Operations that an untagging and a sweep take at least. */
const toBegin = 20;

/** A revision whose untagging is finished, and the keys of its reverse entries. */
interface Dead {
  readonly digest: Digest;
  readonly version: string;
  readonly reverse: readonly string[];
}

/**
 * Removes revisions that were deleted long ago: first what is left of their untagging, then, under the guard,
 * claim, reverse entries, referrer entry and link.
 */
export async function collectDeadRevisions(
  collector: Collector,
  name: RepositoryName,
  tombstones: readonly ListedTombstone[],
): Promise<void> {
  const { store, bucket } = collector;
  let batch: Dead[] = [];
  let reverseEntries = 0;
  const flush = async () => {
    if (batch.length > 0) await sweepDead(collector, name, batch);
    batch = [];
    reverseEntries = 0;
  };
  for (const tombstone of tombstones) {
    // What is ready goes while there are operations for it.
    if (bucket.left < toVerify * batch.length + toBegin) await flush();
    if (!collector.dryRun && !(await finishDelete(collector, name, tombstone))) continue;
    const prefix = store.layout.taggedWith(name, tombstone.digest);
    const page = await bucket.list({ prefix, limit: batchSize });
    const reverse = page.objects.map(({ key }) => key);
    if (reverseEntries + reverse.length > batchSize) await flush();
    batch.push({ digest: tombstone.digest, version: tombstone.object.etag, reverse });
    reverseEntries += reverse.length;
  }
  await flush();
}

/**
 * The delete that made the tombstone may have died before it had removed all tags. A manifest that was pushed again
 * since the listing is left alone.
 * @returns whether nothing is left to do.
 * @throws OutOfOperations if there are more tags than the operations of this step suffice for.
 */
async function finishDelete(
  collector: Collector,
  name: RepositoryName,
  { digest, link }: ListedTombstone,
): Promise<boolean> {
  const store = { ...collector.store, bucket: collector.bucket };
  const now = await readLink(store, store.layout.revisionLink(name, digest), digest);
  if (now.target !== undefined || now.version !== link.version) return false;
  if (link.subject !== undefined) await unlistReferrer(store, name, link.subject, digest);
  const removal = new Removal(parseProgress(link.untaggedUpTo ?? "tags/"));
  await removeTags(store, name, digest, removal, true);
  if (removal.left > 0) {
    await noteProgress(collector.unmetered, name, digest, now, removal.progress);
    collector.progress++;
    throw new OutOfOperations();
  }
  if (removal.failed.length === 0) return true;
  const [tag = ""] = removal.failed;
  note(collector.report, described(name, `cannot remove tag ${tag} of manifest`, digest));
  return false;
}

async function sweepDead(collector: Collector, name: RepositoryName, batch: readonly Dead[]): Promise<void> {
  const { store, report } = collector;
  const verify = async () => {
    const ranks = await mapBounded(batch, store.concurrency, (dead) => verifyDead(collector, name, dead));
    // Each has its keys in the same ranks.
    return [0, 1, 2, 3].map((rank) => ranks.flatMap((keys) => keys[rank] ?? []));
  };
  await sweepBatch(collector, verify, ([, , , revisions = []]) => {
    report.counts.manifestTombstones += revisions.length;
  });
}

async function verifyDead(
  collector: Collector,
  name: RepositoryName,
  { digest, version, reverse }: Dead,
): Promise<Ranks> {
  const { store, policy } = collector;
  const { layout, bucket } = store;
  const key = layout.revisionLink(name, digest);
  const owner = layout.owner(digest, name);
  const [revision, layer, claim] = await Promise.all([
    readLink(store, key, digest),
    readLink(store, layout.layerLink(name, digest), digest),
    bucket.head(owner),
  ]);
  if (revision.target !== undefined || revision.version !== version) return [];
  // More reverse entries than one batch: they go first, and the revision in a later pass.
  if (reverse.length === batchSize) return [[], reverse];
  const { subject } = revision;
  // A young claim may be that of a commit which is about to link the manifest's bytes as a blob.
  const isIdle = layer.target === undefined && claim !== null && isOlder(collector, claim, policy.grace);
  // The link goes last: a put that revives it meanwhile, and dies, then loses the link too, and a link that lives on
  // was made when nothing else could go any more.
  return [
    isIdle ? [owner] : [],
    reverse,
    subject === undefined ? [] : [layout.referrer(name, subject, digest)],
    [key],
  ];
}
