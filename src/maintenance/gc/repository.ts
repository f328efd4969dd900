import type { RepositoryName } from "../../oci/name.ts";
import { DigestFilter } from "./bloom.ts";
import { type Collector, sweepBatch } from "./collector.ts";
import { collectLayerLinks } from "./layer-links.ts";
import { collectDeadRevisions, visitReferences } from "./revisions.ts";
import { collectTagTombstones } from "./tags.ts";
import { collectUploads } from "./uploads.ts";

/** Tombstones of manifests that one visit of a repository deals with; the rest waits for the next pass. */
const tombstonesPerVisit = 200;

/** One visit of a pass to one repository. Whatever it did stays done if the step ends in the middle. */
export async function collectRepository(collector: Collector, name: RepositoryName): Promise<void> {
  const referenced = new DigestFilter(collector.pass);
  const tombstones: Parameters<typeof collectDeadRevisions>[2][number][] = [];
  let manifests = 0;
  const known = await visitReferences(
    collector,
    name,
    (references) => {
      manifests++;
      for (const reference of references) referenced.add(reference);
    },
    (tombstone) => {
      if (tombstones.length < tombstonesPerVisit) tombstones.push(tombstone);
    },
  );
  collector.report.counts.manifests += manifests - tombstones.length;
  if (known) await collectLayerLinks(collector, name, referenced);
  await collectDeadRevisions(collector, name, tombstones);
  await collectTagTombstones(collector, name);
  await collectUploads(collector, name);
  await forgetIfEmpty(collector, name);
  collector.report.counts.repositories++;
}

/** Takes a repository that holds nothing any more out of the catalog. */
async function forgetIfEmpty(collector: Collector, name: RepositoryName): Promise<void> {
  const { layout } = collector.store;
  if (!(await isEmpty(collector, name))) return;
  const verify = async () => {
    return (await isEmpty(collector, name)) ? [[layout.catalog(name), layout.gcRepository(name)]] : [];
  };
  await sweepBatch(collector, verify, (ranks) => {
    collector.report.counts.emptyRepositories += ranks.length;
  });
}

async function isEmpty(collector: Collector, name: RepositoryName): Promise<boolean> {
  const { layout, bucket } = collector.store;
  for (const prefix of [
    layout.revisionLinks(name),
    layout.tags(name),
    layout.layerLinks(name),
    layout.uploads(name),
  ]) {
    const page = await bucket.list({ prefix, limit: 1 });
    if (page.objects.length > 0) return false;
  }
  return true;
}
