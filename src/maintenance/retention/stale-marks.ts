import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { readLink } from "../../storage/link.ts";
import { removeMark } from "../../storage/untagged-mark.ts";
import type { Collector } from "../gc/collector.ts";
import { pages } from "../pages.ts";

/**
 * Removes the marks of manifests that are gone, and all of them once no rule asks for them any more: an old one would
 * be believed if the rule came back.
 */
export async function collectMarks(
  { store, dryRun }: Collector,
  name: RepositoryName,
  isAskedFor: boolean,
): Promise<void> {
  const { layout } = store;
  if (dryRun) return;
  for await (const page of pages(store, layout.untaggeds(name))) {
    await mapBounded(page, store.concurrency, async (object) => {
      const key = layout.parse(object.key);
      if (key?.kind !== "untagged") return;
      const isLive = async () =>
        (await readLink(store, layout.revisionLink(name, key.digest), key.digest)).target !== undefined;
      if (isAskedFor && (await isLive())) return;
      await removeMark(store, name, key.digest);
    });
  }
}
