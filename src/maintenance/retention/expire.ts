import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { expireTag, expiryOperations } from "../../storage/tag-expiry.ts";
import { type Collector, portions } from "../gc/collector.ts";
import type { RetentionRule } from "./rules.ts";
import { type Evidence, judgeTags } from "./tags.ts";

/**
 * Removes the tags of a repository that its rule does not keep. A tag that is set while this goes on is another one
 * than was judged, and stays.
 * @throws OutOfOperations; what was removed until then stays removed.
 */
export async function expireTags(
  collector: Collector,
  name: RepositoryName,
  rule: RetentionRule,
  evidence: Evidence,
): Promise<void> {
  const { store, unmetered, bucket, report } = collector;
  if (rule.keep === undefined) return;
  for await (const page of judgeTags(store, name, rule, evidence)) {
    const doomed = page.filter(({ verdict }) => !verdict.keeps);
    if (collector.dryRun) {
      report.counts.expiredTags += doomed.length;
      continue;
    }
    for (const portion of portions(collector, doomed, expiryOperations)) {
      // A removal must not stop between its swap and its projections: it is counted, and not metered.
      for (let operation = 0; operation < portion.length * expiryOperations; operation++) bucket.count();
      const removed = await mapBounded(portion, store.concurrency, async ({ tag, head }) => {
        const isRemoved = await expireTag(unmetered, name, tag, head.version);
        if (isRemoved) collector.onExpired?.({ name, tag, target: head.target });
        return isRemoved;
      });
      const count = removed.filter((isRemoved) => isRemoved).length;
      report.counts.expiredTags += count;
      collector.progress += count;
    }
  }
}
