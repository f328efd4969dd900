import type { Digest } from "../../oci/digest.ts";
import { type RepositoryName, tryParseTag } from "../../oci/name.ts";
import type { Store } from "../../storage/store.ts";
import { readTag, type TagState } from "../../storage/tag-register.ts";
import { pages } from "../pages.ts";

/**
 * When a tag last named a manifest, Unix time in milliseconds: infinity if one does now, 0 if none is known to have.
 * One list for a page of the tags that ever did, and a read of each.
 */
export async function lastTagged(store: Store, name: RepositoryName, digest: Digest): Promise<number> {
  const prefix = store.layout.taggedWith(name, digest);
  let last = 0;
  for await (const page of pages(store, prefix)) {
    for (const { key } of page) {
      const tag = tryParseTag(key.slice(prefix.length));
      if (tag === undefined) continue;
      last = Math.max(last, leftAt(await readTag(store, name, tag), digest));
      if (last === Number.POSITIVE_INFINITY) return last;
    }
  }
  return last;
}

/** When the tag ceased to name the manifest. */
function leftAt({ target, at, history }: TagState, digest: Digest): number {
  if (target?.digest === digest) return Number.POSITIVE_INFINITY;
  const index = history.findIndex((event) => event.digest === digest);
  if (index < 0) return 0;
  // What came after it took its place; after the newest came the removal.
  return history[index - 1]?.at ?? at;
}
