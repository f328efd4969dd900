import type { Digest } from "../../oci/digest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { type Link, readLink, swapToCollected } from "../../storage/link.ts";
import { unlistReferrer } from "../../storage/referrer-entry.ts";
import { markedGeneration } from "../../storage/untagged-mark.ts";
import { type Collector, isOlder, runUnderGuard } from "../gc/collector.ts";
import { visitReferences } from "../gc/revisions.ts";
import { lastTagged } from "./last-tagged.ts";

/** Operations that verify a manifest, one tag that it once had included, and remove it. */
export const toRemove = 8;

/** A live manifest that nothing needs. */
interface Free {
  readonly digest: Digest;
  /** As it is after the announcement. */
  readonly link: Link;
}

/**
 * Removes those of a portion that still nothing needs, after the announcement: a put or a restore that does not see
 * it looks at the guard and at the revision once more when it is done.
 * @param patience milliseconds since the first sight.
 */
export async function removeManifests(
  collector: Collector,
  name: RepositoryName,
  portion: readonly Digest[],
  patience: number,
): Promise<void> {
  const { unmetered, report } = collector;
  const removed: Free[] = [];
  const bury = async (free: Free) => {
    const key = unmetered.layout.revisionLink(name, free.digest);
    const isBuried = (await swapToCollected(unmetered, key, free.digest, free.link)) !== undefined;
    if (isBuried) removed.push(free);
  };
  await runUnderGuard(collector, async () => {
    const free = await stillUnneeded(collector, name, portion, patience);
    if (!collector.dryRun) return [() => mapBounded(free, unmetered.concurrency, bury)];
    removed.push(...free);
    return [];
  });
  for (const { link } of removed) {
    report.counts.untaggedManifests++;
    report.counts.untaggedManifestBytes += link.size ?? 0;
  }
  if (collector.dryRun) return;
  collector.progress += removed.length;
  await mapBounded(removed, unmetered.concurrency, async ({ digest, link }) => {
    if (link.subject !== undefined) await unlistReferrer(unmetered, name, link.subject, digest);
  });
}

async function stillUnneeded(
  collector: Collector,
  name: RepositoryName,
  portion: readonly Digest[],
  patience: number,
): Promise<readonly Free[]> {
  const { store } = collector;
  const referenced = new Set<Digest>();
  const digests = new Set(portion);
  const known = await visitReferences(collector, name, (references) => {
    for (const reference of references) if (digests.has(reference)) referenced.add(reference);
  });
  if (!known) return [];
  const free = await mapBounded(portion, store.concurrency, async (digest): Promise<Free | undefined> => {
    if (referenced.has(digest)) return undefined;
    const link = await readLink(store, store.layout.revisionLink(name, digest), digest);
    if (link.target === undefined) return undefined;
    const mark = await store.bucket.head(store.layout.untagged(name, digest));
    if (mark === null || markedGeneration(mark) !== link.generation) return undefined;
    if (!isOlder(collector, mark, patience)) return undefined;
    // A tag that came while the pass looked elsewhere found no mark to take away.
    if (store.clock.now() - (await lastTagged(store, name, digest)) <= patience) return undefined;
    return (await isSubjectLive(collector, name, link)) ? undefined : { digest, link };
  });
  return free.filter((each) => each !== undefined);
}

async function isSubjectLive(
  { store }: Collector,
  name: RepositoryName,
  { subject }: Link,
): Promise<boolean> {
  if (subject === undefined) return false;
  return (await readLink(store, store.layout.revisionLink(name, subject), subject)).target !== undefined;
}
