import type { Digest } from "../../oci/digest.ts";
import { type RepositoryName, tryParseTag } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { type Link, linkOf } from "../../storage/link.ts";
import { readTagHead, tagHeadOf } from "../../storage/tag-register.ts";
import { markedGeneration, removeMark, writeMark } from "../../storage/untagged-mark.ts";
import { DigestFilter } from "../gc/bloom.ts";
import { type Collector, isOlder, portions } from "../gc/collector.ts";
import { ListedInOrder } from "../listed-in-order.ts";
import { pages } from "../pages.ts";
import { removeManifests, toRemove } from "./remove-untagged.ts";
import type { Untagged } from "./rules.ts";

const hour = 3600 * 1000;
const day = 24 * hour;

/** What a pass has learnt of a repository's manifests. */
export interface Manifests {
  /** What live manifests refer to: blobs, and children of image indexes. */
  readonly referenced: DigestFilter;
  readonly live: DigestFilter;
}

/** A live manifest, and what earlier passes and pulls left of it. */
interface Listed {
  readonly digest: Digest;
  readonly link: Link;
  readonly mark: R2Object | undefined;
  readonly pull: R2Object | undefined;
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
  const isPatient = store.clock.now() - collector.rulesSince <= patience;
  const tagged = await taggedDigests(collector, name);
  for await (const page of listed(collector, name, policy)) {
    const due = await mapBounded(page, store.concurrency, async (manifest): Promise<Digest | undefined> => {
      const { digest, link, mark } = manifest;
      const isNeeded =
        tagged.has(digest) ||
        manifests.referenced.has(digest) ||
        (link.subject !== undefined && manifests.live.has(link.subject)) ||
        isPulled(collector, manifest, policy, recordedSince);
      const isMarked = mark !== undefined && markedGeneration(mark) === link.generation;
      if (!isNeeded && isMarked) return isPatient || !isOlder(collector, mark, patience) ? undefined : digest;
      if (!collector.dryRun && isNeeded && mark !== undefined) await removeMark(store, name, digest);
      if (!collector.dryRun && !isNeeded) await markUntagged(collector, name, manifest);
      return undefined;
    });
    const digests = due.filter((digest) => digest !== undefined);
    for (const portion of portions(collector, digests, toRemove))
      await removeManifests(collector, name, portion, patience);
  }
}

/** The live manifests of a repository with their marks and pull times: listings in the same order. */
async function* listed(
  { store }: Collector,
  name: RepositoryName,
  policy: Untagged,
): AsyncGenerator<readonly Listed[]> {
  const { layout } = store;
  const marks = new ListedInOrder(store, layout.untaggeds(name));
  const pulls =
    policy.pulledWithinDays === undefined ? undefined : new ListedInOrder(store, layout.pulledDigests(name));
  for await (const page of pages(store, layout.revisionLinks(name), { metadata: true })) {
    const found: Listed[] = [];
    for (const object of page) {
      const key = layout.parse(object.key);
      const link = key?.kind === "revisionLink" ? linkOf(object, key.digest) : undefined;
      if (key?.kind !== "revisionLink" || link?.target === undefined) continue;
      const { digest } = key;
      const mark = await marks.find(layout.untagged(name, digest));
      found.push({ digest, link, mark, pull: await pulls?.find(layout.pulled(name, digest)) });
    }
    yield found;
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

/** Notes the first sight of a manifest without a tag. */
async function markUntagged(
  collector: Collector,
  name: RepositoryName,
  { digest, link }: Listed,
): Promise<void> {
  await writeMark(collector.store, name, digest, link.generation);
  collector.progress++;
}

function isPulled(
  { store }: Collector,
  { pull }: Listed,
  { pulledWithinDays }: Untagged,
  recordedSince: number,
): boolean {
  if (pulledWithinDays === undefined) return false;
  const pulledAt = Math.max(pull?.uploaded.getTime() ?? 0, recordedSince);
  return store.clock.now() - pulledAt < pulledWithinDays * day;
}
