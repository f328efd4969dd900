import type { RepositoryName } from "../../oci/name.ts";
import { pages } from "../pages.ts";
import { type Collector, isOlder } from "./collector.ts";

/**
 * Removes what abandoned upload sessions left. No guard: a session's URL is refused a week after its start, so
 * that nobody can write or read below it any more.
 */
export async function collectUploads(collector: Collector, name: RepositoryName): Promise<void> {
  const { store, policy, report, dryRun } = collector;
  for await (const page of pages(store, store.layout.uploads(name))) {
    const abandoned = page.filter((object) => {
      const kind = store.layout.parse(object.key)?.kind;
      return (kind === "segment" || kind === "proof") && isOlder(collector, object, policy.uploadAge);
    });
    if (abandoned.length === 0) continue;
    if (!dryRun) {
      await store.bucket.delete(abandoned.map(({ key }) => key));
      collector.progress++;
    }
    report.counts.uploadSegments += abandoned.length;
    report.counts.uploadBytes += abandoned.reduce((sum, { size }) => sum + size, 0);
  }
}
