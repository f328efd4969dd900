import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { projectUntilStable } from "../../storage/projection.ts";
import { readTag, tagHeadOf } from "../../storage/tag-register.ts";
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
    for (const candidates of portions(collector, dead, 2)) {
      const settled = await mapBounded(candidates, store.concurrency, (object) =>
        hasNoLink(collector, name, object),
      );
      const portion = candidates.filter((_, index) => settled[index]);
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

/**
 * Whether distribution's link of a removed tag is gone. One that a request left when it died would bring the tag
 * back, for without a register it is a tag of distribution's: it is taken away, and the register in a later pass.
 */
async function hasNoLink(collector: Collector, name: RepositoryName, object: R2Object): Promise<boolean> {
  const { store, dryRun } = collector;
  const key = store.layout.parse(object.key);
  if (key?.kind !== "tag") return false;
  if ((await store.bucket.head(store.layout.currentLink(name, key.tag))) === null) return true;
  if (!dryRun) await projectUntilStable(store, name, key.tag, await readTag(store, name, key.tag));
  return false;
}
