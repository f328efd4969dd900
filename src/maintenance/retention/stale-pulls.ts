import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { readLink } from "../../storage/link.ts";
import { readTagHead } from "../../storage/tag-register.ts";
import { type Collector, isOlder, portions, sweepBatch } from "../gc/collector.ts";
import { pages } from "../pages.ts";

/**
 * Removes the pull times of tags and manifests that are gone, once they are older than tombstones become. Nothing
 * but retention reads them, so one that is written at this very moment is no loss.
 */
export async function collectPullTimes(collector: Collector, name: RepositoryName): Promise<void> {
  const { store, policy, report } = collector;
  for (const prefix of [store.layout.pulledTags(name), store.layout.pulledDigests(name)]) {
    for await (const page of pages(store, prefix)) {
      const old = page.filter((object) => isOlder(collector, object, policy.keepTombstones));
      for (const portion of portions(collector, old, 1)) {
        const gone = await mapBounded(portion, store.concurrency, ({ key }) => isGone(collector, name, key));
        const keys = portion.filter((_, index) => gone[index]).map(({ key }) => key);
        if (keys.length === 0) continue;
        await sweepBatch(
          collector,
          async () => [keys],
          ([taken = []]) => {
            report.counts.pullTimes += taken.length;
          },
        );
      }
    }
  }
}

async function isGone({ store }: Collector, name: RepositoryName, text: string): Promise<boolean> {
  const key = store.layout.parse(text);
  if (key?.kind === "pulledTag") return (await readTagHead(store, name, key.tag)).target === undefined;
  if (key?.kind !== "pulledDigest") return false;
  const link = store.layout.revisionLink(name, key.digest);
  return (await readLink(store, link, key.digest)).target === undefined;
}
