import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { tagHeadOf } from "../../storage/tag-register.ts";
import { pages } from "../pages.ts";
import { type Collector, isOlder, portions, sweepBatch } from "./collector.ts";

/** Removes the registers of tags that were deleted long ago, and with them their history. */
export async function collectTagTombstones(collector: Collector, name: RepositoryName): Promise<void> {
  const { store, policy, report } = collector;
  for await (const page of pages(store, store.layout.tags(name), { metadata: true })) {
    const dead = page.filter((object) => {
      const head = tagHeadOf(object);
      return (
        head !== undefined && head.target === undefined && isOlder(collector, object, policy.keepTombstones)
      );
    });
    for (const portion of portions(collector, dead, 1)) {
      const verify = async () => {
        const now = await mapBounded(portion, store.concurrency, ({ key }) => store.bucket.head(key));
        const same = portion.filter(({ etag }, index) => now[index]?.etag === etag);
        return [same.map(({ key }) => key)];
      };
      await sweepBatch(collector, verify, ([keys = []]) => {
        report.counts.tagTombstones += keys.length;
      });
    }
  }
}
