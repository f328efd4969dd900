import type { Digest } from "../../oci/digest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { linkOf, liveLink, readLink } from "../../storage/link.ts";
import { swap } from "../../storage/register.ts";
import { adoptLayerLink } from "../foreign-links.ts";
import { pages } from "../pages.ts";
import type { DigestFilter } from "./bloom.ts";
import { type Collector, described, isOlder, portions, sweepBatch } from "./collector.ts";
import { note } from "./report.ts";
import { visitReferences } from "./revisions.ts";
import type { Ranks } from "./sweep.ts";

/** The metadata with which a pass marks a live link that no manifest refers to; its time is the link's own. */
const mark = "unreferenced";

/**
 * Looks at every layer link of a repository: marks those that no live manifest refers to, takes the mark off
 * those that are referred to again, and sweeps those that have been marked for longer than the grace. The age
 * of a marked link is that of its mark, since marking writes it.
 */
export async function collectLayerLinks(
  collector: Collector,
  name: RepositoryName,
  referenced: DigestFilter,
): Promise<void> {
  const { store } = collector;
  for await (const page of pages(store, store.layout.layerLinks(name), { metadata: true })) {
    const expired = await mapBounded(page, store.concurrency, (object) =>
      lookAt(collector, name, object, referenced),
    );
    const digests = expired.filter((digest) => digest !== undefined);
    for (const portion of portions(collector, digests, 3)) await sweepLinks(collector, name, portion);
  }
}

/** @returns the link's digest if its time has come. */
async function lookAt(
  collector: Collector,
  name: RepositoryName,
  object: R2Object,
  referenced: DigestFilter,
): Promise<Digest | undefined> {
  const { store, policy, dryRun } = collector;
  const key = store.layout.parse(object.key);
  if (key?.kind !== "layerLink") return undefined;
  const { digest } = key;
  const link = linkOf(object, digest);
  if (link === undefined) {
    await adopt(collector, name, digest);
    return undefined;
  }
  if (link.target === undefined) {
    // A blob that a request deleted, although a manifest may refer to it: absent is as good as a tombstone.
    return isOlder(collector, object, policy.keepTombstones) ? digest : undefined;
  }
  const isMarked = object.customMetadata?.[mark] !== undefined;
  if (referenced.has(digest)) {
    if (isMarked && !dryRun) await rewrite(collector, object, digest, link.size ?? 0, {});
    return undefined;
  }
  if (isMarked) return isOlder(collector, object, policy.grace) ? digest : undefined;
  if (!dryRun) await rewrite(collector, object, digest, link.size ?? 0, { [mark]: "1" });
  return undefined;
}

async function adopt(collector: Collector, name: RepositoryName, digest: Digest): Promise<void> {
  if (collector.dryRun) {
    collector.foreign = true;
    return;
  }
  const adoption = await adoptLayerLink(collector.store, name, digest);
  // Links that stay as they are, such as those to nothing that distribution's own garbage collection leaves, are
  // met in every pass: no sign of a writer beside Skerry.
  if (adoption === "adopted") collector.foreign = true;
  if (adoption === "unreadable" || adoption === "dangling") {
    note(collector.report, described(name, `${adoption}: layer link`, digest));
  }
}

/** Writes a live link anew with other marks, unless a request was first. */
async function rewrite(
  collector: Collector,
  object: R2Object,
  digest: Digest,
  size: number,
  marks: Record<string, string>,
): Promise<void> {
  const { body, metadata } = liveLink({ digest, size });
  await swap(collector.store, object.key, object.etag, body, { ...metadata, ...marks });
  collector.progress++;
}

async function sweepLinks(
  collector: Collector,
  name: RepositoryName,
  digests: readonly Digest[],
): Promise<void> {
  const { counts } = collector.report;
  let bytes = 0;
  await sweepBatch(
    collector,
    async () => {
      const verified = await verify(collector, name, digests);
      bytes = verified.bytes;
      return verified.ranks;
    },
    ([links = []]) => {
      counts.layerLinks += links.length;
      counts.layerLinkBytes += bytes;
    },
  );
}

/** Which of the links may go now: no live manifest refers to them, and link and claim are older than the grace. */
async function verify(
  collector: Collector,
  name: RepositoryName,
  digests: readonly Digest[],
): Promise<{ readonly ranks: Ranks; readonly bytes: number }> {
  const { store, policy } = collector;
  const { layout, bucket } = store;
  const free = new Set(digests);
  const known = await visitReferences(collector, name, (references) => {
    for (const reference of references) free.delete(reference);
  });
  if (!known) return { ranks: [], bytes: 0 };
  const links: string[] = [];
  const owners: string[] = [];
  let bytes = 0;
  await mapBounded(digests, store.concurrency, async (digest) => {
    const key = layout.layerLink(name, digest);
    const object = await bucket.head(key);
    if (object === null) return;
    const metadata = object.customMetadata ?? {};
    const isTombstone = metadata.tombstone !== undefined;
    if (!isTombstone && (!free.has(digest) || metadata[mark] === undefined)) return;
    if (!isOlder(collector, object, isTombstone ? policy.keepTombstones : policy.grace)) return;
    const owner = await bucket.head(layout.owner(digest, name));
    // A young claim: a commit or mount may be about to put the link, and a delete would take what it puts.
    if (owner !== null && !isOlder(collector, owner, policy.grace)) return;
    links.push(key);
    bytes += isTombstone ? 0 : Number(metadata.size ?? 0);
    if (owner === null) return;
    // A tombstone's claim goes with it even if a manifest refers to the blob: nothing else would take it later.
    const revision = await readLink(store, layout.revisionLink(name, digest), digest);
    if (revision.target === undefined) owners.push(layout.owner(digest, name));
  });
  return { ranks: [links, owners], bytes };
}
