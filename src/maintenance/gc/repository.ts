import type { RepositoryName } from "../../oci/name.ts";
import { expireTags } from "../retention/expire.ts";
import { pullsRecordedSince } from "../retention/pulls-recorded.ts";
import { asksForPulls, ruleFor } from "../retention/rules.ts";
import { collectMarks } from "../retention/stale-marks.ts";
import { collectPullTimes } from "../retention/stale-pulls.ts";
import { removeUntagged } from "../retention/untagged.ts";
import { DigestFilter } from "./bloom.ts";
import { type Collector, isOlder, sweepBatch } from "./collector.ts";
import { collectDeadRevisions } from "./dead-revisions.ts";
import { collectLayerLinks } from "./layer-links.ts";
import { type ListedTombstone, visitReferences } from "./revisions.ts";
import { collectTagTombstones } from "./tags.ts";
import { collectUploads } from "./uploads.ts";

/** Old tombstones of manifests that one visit of a repository deals with; the rest waits for the next pass. */
const tombstonesPerVisit = 1000;

/** One visit of a pass to one repository. Whatever it did stays done if the step ends in the middle. */
export async function collectRepository(collector: Collector, name: RepositoryName): Promise<void> {
  const { retention } = collector.policy;
  const rule = retention && ruleFor(retention.rules, name);
  const recordedSince =
    rule && asksForPulls(rule) ? await pullsRecordedSince(collector.store, name, !collector.dryRun) : 0;
  if (retention !== undefined && rule !== undefined)
    await expireTags(collector, name, rule, { isImmutable: retention.isImmutable, recordedSince });
  const referenced = new DigestFilter(collector.pass);
  const live = new DigestFilter(collector.pass);
  const tombstones: ListedTombstone[] = [];
  let manifests = 0;
  const known = await visitReferences(
    collector,
    name,
    (references, digest) => {
      manifests++;
      live.add(digest);
      for (const reference of references) referenced.add(reference);
    },
    (tombstone) => {
      if (tombstones.length === tombstonesPerVisit) return;
      if (isOlder(collector, tombstone.object, collector.policy.keepTombstones)) tombstones.push(tombstone);
    },
  );
  collector.report.counts.manifests += manifests;
  // A registry beside Skerry has tags, and indexes, that nobody here knows of yet.
  const isAlone = !collector.foreign && collector.policy.foreignWrites !== "allowed";
  if (known && isAlone && rule?.untagged !== undefined)
    await removeUntagged(collector, name, rule.untagged, { referenced, live }, recordedSince);
  if (known && collector.policy.foreignWrites !== "allowed")
    await collectLayerLinks(collector, name, referenced);
  await collectDeadRevisions(collector, name, tombstones);
  await collectTagTombstones(collector, name);
  if (rule !== undefined || collector.isDeep) {
    await collectPullTimes(collector, name);
    await collectMarks(collector, name, rule?.untagged !== undefined);
  }
  await collectUploads(collector, name);
  await forgetIfEmpty(collector, name);
  collector.report.counts.repositories++;
}

/** Takes a repository that holds nothing any more out of the catalog. */
async function forgetIfEmpty(collector: Collector, name: RepositoryName): Promise<void> {
  const { layout } = collector.store;
  if (!(await isEmpty(collector, name))) return;
  const verify = async () => {
    return (await isEmpty(collector, name))
      ? [[layout.catalog(name), layout.gcRepository(name), layout.pullsRecorded(name)]]
      : [];
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
    layout.pulledTags(name),
    layout.pulledDigests(name),
    layout.untaggeds(name),
  ]) {
    const page = await bucket.list({ prefix, limit: 1 });
    if (page.objects.length > 0) return false;
  }
  return true;
}
