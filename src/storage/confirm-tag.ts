import type { RepositoryName, Tag } from "../oci/name.ts";
import { isOwnLink, type KnownManifest, projectUntilStable } from "./projection.ts";
import type { Store } from "./store.ts";
import { swapTag, type TagState } from "./tag-register.ts";

/**
 * For a request that found a tag as it wants it: sees to it that distribution's link says so too. One that a request
 * left old when it died is projected. One that distribution wrote is a write that nobody has followed yet: the tag is
 * set once more, so that this request is the later one (docs/protocols.md "Foreign writes").
 * @returns false if another writer was faster: the request has to look again.
 */
export async function confirmTag(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  state: TagState,
  known?: KnownManifest,
): Promise<boolean> {
  const { target } = state;
  if (target === undefined) return true;
  const link = await store.bucket.get(store.layout.currentLink(name, tag));
  if (link !== null && (await link.text()) === target.digest) return true;
  const isForeign = link !== null && !isOwnLink(link);
  const after = isForeign ? await swapTag(store, name, tag, state, target) : state;
  if (after === undefined) return false;
  await projectUntilStable(store, name, tag, after, known);
  return true;
}
