import type { Digest } from "../../oci/digest.ts";
import { type RepositoryName, tryParseTag } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { type Link, linkOf, readLink, swapToCollected, swapWatched } from "../../storage/link.ts";
import { unlistReferrer } from "../../storage/referrer-entry.ts";
import { readTagHead, tagHeadOf } from "../../storage/tag-register.ts";
import { DigestFilter } from "../gc/bloom.ts";
import { type Collector, isOlder, portions, runUnderGuard } from "../gc/collector.ts";
import { visitReferences } from "../gc/revisions.ts";
import { pages } from "../pages.ts";
import type { Untagged } from "./rules.ts";

const hour = 3600 * 1000;
const day = 24 * hour;

/** Operations that verify a manifest, one tag that it once had included, and remove it. */
const toRemove = 7;

/** What a pass has learnt of a repository's manifests. */
export interface Manifests {
  /** What live manifests refer to: blobs, and children of image indexes. */
  readonly referenced: DigestFilter;
  readonly live: DigestFilter;
}

/** A live manifest without a tag, whose time has come. */
interface Candidate {
  readonly digest: Digest;
  readonly link: Link;
}

/**
 * Removes the manifests of a repository that no tag names, as a delete by digest would: first they are marked, and
 * once that is long enough ago they go. A child of a live image index stays, and so does a manifest whose subject
 * lives, such as a signature; when the index or the subject is gone, a later pass sees that.
 * @throws OutOfOperations
 */
export async function removeUntagged(
  collector: Collector,
  name: RepositoryName,
  policy: Untagged,
  manifests: Manifests,
  recordedSince: number,
): Promise<void> {
  const { store } = collector;
  const patience = Math.max(policy.keepHours * hour, collector.policy.grace);
  const tagged = await taggedDigests(collector, name);
  for await (const page of pages(store, store.layout.revisionLinks(name), { metadata: true })) {
    const due = await mapBounded(page, store.concurrency, async (object): Promise<Candidate | undefined> => {
      const key = store.layout.parse(object.key);
      if (key?.kind !== "revisionLink") return undefined;
      const { digest } = key;
      const link = linkOf(object, digest);
      if (link?.target === undefined) return undefined;
      const isNeeded =
        tagged.has(digest) ||
        manifests.referenced.has(digest) ||
        (link.subject !== undefined && manifests.live.has(link.subject));
      const isWatched = link.isWatched ?? false;
      if (isNeeded || !isWatched) {
        if (isNeeded === isWatched) await watch(collector, object.key, digest, link, !isNeeded);
        return undefined;
      }
      if (!isOlder(collector, object, patience)) return undefined;
      const isPulled = await wasPulled(collector, name, digest, policy, recordedSince);
      return isPulled ? undefined : { digest, link };
    });
    const candidates = due.filter((candidate) => candidate !== undefined);
    for (const portion of portions(collector, candidates, toRemove)) await remove(collector, name, portion);
  }
}

/** The digests that tags name, as a listing tells them. */
async function taggedDigests(collector: Collector, name: RepositoryName): Promise<DigestFilter> {
  const { store, pass } = collector;
  const tagged = new DigestFilter(pass);
  for await (const page of pages(store, store.layout.tags(name), { metadata: true })) {
    for (const object of page) {
      const tag = tryParseTag(object.key.slice(store.layout.tags(name).length));
      const head = tagHeadOf(object) ?? (tag && (await readTagHead(store, name, tag)));
      if (head?.target !== undefined) tagged.add(head.target.digest);
    }
  }
  return tagged;
}

/** Marks a manifest, or takes the mark off it, unless a request was first. */
async function watch(
  collector: Collector,
  key: string,
  digest: Digest,
  link: Link,
  isWatched: boolean,
): Promise<void> {
  if (collector.dryRun) return;
  await swapWatched(collector.store, key, digest, link, isWatched);
  collector.progress++;
}

async function wasPulled(
  { store }: Collector,
  name: RepositoryName,
  digest: Digest,
  { pulledWithinDays }: Untagged,
  recordedSince: number,
): Promise<boolean> {
  if (pulledWithinDays === undefined) return false;
  const record = await store.bucket.head(store.layout.pulled(name, digest));
  const pulledAt = Math.max(record?.uploaded.getTime() ?? 0, recordedSince);
  return store.clock.now() - pulledAt < pulledWithinDays * day;
}

/**
 * Removes those of a portion that still nothing needs, after the announcement: a put or a restore that does not see
 * it looks at the guard and at the revision once more when it is done.
 */
async function remove(
  collector: Collector,
  name: RepositoryName,
  portion: readonly Candidate[],
): Promise<void> {
  const { unmetered, report } = collector;
  const removed: Candidate[] = [];
  const bury = async (candidate: Candidate) => {
    const key = unmetered.layout.revisionLink(name, candidate.digest);
    const isBuried = (await swapToCollected(unmetered, key, candidate.digest, candidate.link)) !== undefined;
    if (isBuried) removed.push(candidate);
  };
  await runUnderGuard(collector, async () => {
    const free = await stillUnneeded(collector, name, portion);
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
  portion: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const { store } = collector;
  const referenced = new Set<Digest>();
  const digests = new Set(portion.map(({ digest }) => digest));
  const known = await visitReferences(collector, name, (references) => {
    for (const reference of references) if (digests.has(reference)) referenced.add(reference);
  });
  if (!known) return [];
  const verdicts = await mapBounded(portion, store.concurrency, async ({ digest, link }) => {
    if (referenced.has(digest)) return false;
    const now = await readLink(store, store.layout.revisionLink(name, digest), digest);
    // A put or a restore takes the mark off, and the version of the link stays the same.
    if (now.target === undefined || now.version !== link.version || !now.isWatched) return false;
    if (await isTagged(collector, name, digest)) return false;
    if (link.subject === undefined) return true;
    const subject = await readLink(store, store.layout.revisionLink(name, link.subject), link.subject);
    return subject.target === undefined;
  });
  return portion.filter((_, index) => verdicts[index]);
}

/** Whether one of the tags that ever named the digest does so now. */
async function isTagged({ store }: Collector, name: RepositoryName, digest: Digest): Promise<boolean> {
  const prefix = store.layout.taggedWith(name, digest);
  for await (const page of pages(store, prefix)) {
    for (const { key } of page) {
      const tag = tryParseTag(key.slice(prefix.length));
      if (tag === undefined) continue;
      const { target } = await readTagHead(store, name, tag);
      if (target?.digest === digest) return true;
    }
  }
  return false;
}
