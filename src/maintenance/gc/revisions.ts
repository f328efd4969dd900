import type { Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { manifestOf } from "../../oci/manifest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { type Link, linkOf, readLink } from "../../storage/link.ts";
import { deleteManifest } from "../../storage/manifest-delete.ts";
import { OutOfOperations } from "../../storage/metered-bucket.ts";
import { unpackReferences } from "../../storage/packed-references.ts";
import { adoptRevision } from "../foreign-links.ts";
import { pages } from "../pages.ts";
import { type Collector, described, isOlder, sweepBatch } from "./collector.ts";
import { note } from "./report.ts";
import { batchSize, type Ranks } from "./sweep.ts";

/** A revision link in a listing. */
interface ListedRevision {
  readonly digest: Digest;
  readonly link: Link;
  readonly object: R2Object;
}

/**
 * Calls `visit` with what each live manifest of the repository refers to. A listing tells most of it; manifests
 * with very many references are read, and those that distribution wrote are adopted on the way.
 * @returns false if what some manifest refers to cannot be known: then nothing of the repository may go.
 */
export async function visitReferences(
  collector: Collector,
  name: RepositoryName,
  visit: (references: readonly Digest[]) => void,
  visitTombstone?: (revision: ListedRevision) => void,
): Promise<boolean> {
  const { store } = collector;
  let known = true;
  for await (const page of pages(store, store.layout.revisionLinks(name), { metadata: true })) {
    const references = await mapBounded(page, store.concurrency, async (object) => {
      const key = store.layout.parse(object.key);
      if (key?.kind !== "revisionLink") return [];
      const link = linkOf(object, key.digest);
      if (link === undefined) return foreignReferences(collector, name, key.digest);
      if (link.target === undefined) {
        visitTombstone?.({ digest: key.digest, link, object });
        return [];
      }
      return unpackReferences(link.packedReferences) ?? storedReferences(collector, name, key.digest);
    });
    for (const list of references) {
      if (list === undefined) known = false;
      else visit(list);
    }
  }
  return known;
}

/** What a manifest refers to, as its bytes tell; undefined, with a note, if they tell nothing. */
async function storedReferences(
  collector: Collector,
  name: RepositoryName,
  digest: Digest,
): Promise<readonly Digest[] | undefined> {
  const { store, report } = collector;
  const data = await store.bucket.get(store.layout.blobData(digest));
  const manifest = data && manifestOf(new Uint8Array(await data.arrayBuffer()));
  if (!manifest) note(report, described(name, "cannot tell what is referred to by manifest", digest));
  return manifest?.references.map((reference) => reference.digest);
}

async function foreignReferences(
  collector: Collector,
  name: RepositoryName,
  digest: Digest,
): Promise<readonly Digest[] | undefined> {
  const { store, report, dryRun } = collector;
  if (dryRun) {
    collector.foreign = true;
    return storedReferences(collector, name, digest);
  }
  const { adoption, manifest } = await adoptRevision(store, name, digest);
  if (adoption === "adopted") collector.foreign = true;
  if (adoption !== "adopted") note(report, described(name, `${adoption}: revision`, digest));
  // A link to nothing, or to no manifest, refers to nothing; one that cannot be read may.
  if (adoption === "unreadable") return undefined;
  return manifest?.references.map((reference) => reference.digest) ?? [];
}

/**
 * Removes revisions that were deleted long ago: first what is left of their untagging, then, under the guard,
 * link, reverse entries, referrer entry and claim.
 */
export async function collectDeadRevisions(
  collector: Collector,
  name: RepositoryName,
  tombstones: readonly ListedRevision[],
): Promise<void> {
  const { store, policy, report } = collector;
  for (const dead of tombstones) {
    if (!isOlder(collector, dead.object, policy.keepTombstones)) continue;
    if (!collector.dryRun) await finishDelete(collector, name, dead.digest);
    const reverse = await firstPage(collector, store.layout.taggedWith(name, dead.digest));
    await sweepBatch(
      collector,
      () => verifyDead(collector, name, dead, reverse),
      (ranks) => {
        if (ranks.length > 0) report.counts.manifestTombstones++;
      },
    );
  }
}

/** The delete that made the tombstone may have died before it had removed all tags. */
async function finishDelete(collector: Collector, name: RepositoryName, digest: Digest): Promise<void> {
  try {
    await deleteManifest(collector.store, name, digest, collector.bucket.left);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    // More tags than the operations of this step suffice for: the next step goes on.
    if (error.status === 503) throw new OutOfOperations();
    // 404: there was nothing left to do.
    if (error.status !== 404) throw error;
  }
}

async function verifyDead(
  collector: Collector,
  name: RepositoryName,
  dead: ListedRevision,
  reverse: readonly string[],
): Promise<Ranks> {
  const { store } = collector;
  const { layout } = store;
  const { digest } = dead;
  const key = layout.revisionLink(name, digest);
  const [revision, layer] = await Promise.all([
    readLink(store, key, digest),
    readLink(store, layout.layerLink(name, digest), digest),
  ]);
  if (revision.target !== undefined || revision.version !== dead.link.version) return [];
  // More reverse entries than one batch: they go first, and the revision in a later pass.
  if (reverse.length === batchSize) return [reverse];
  const { subject } = revision;
  return [
    [key],
    reverse,
    subject === undefined ? [] : [layout.referrer(name, subject, digest)],
    layer.target === undefined ? [layout.owner(digest, name)] : [],
  ];
}

async function firstPage(collector: Collector, prefix: string): Promise<readonly string[]> {
  const page = await collector.store.bucket.list({ prefix, limit: batchSize });
  return page.objects.map(({ key }) => key);
}
