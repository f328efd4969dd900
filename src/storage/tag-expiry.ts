import type { RepositoryName, Tag } from "../oci/name.ts";
import { projectUntilStable } from "./projection.ts";
import type { Version } from "./register.ts";
import type { Store } from "./store.ts";
import { readTag, swapTagToTombstone } from "./tag-register.ts";

/** Operations that the removal of a tag takes when nobody interferes: read, swap, two projections, a look. */
export const expiryOperations = 5;

/**
 * Removes a tag if its register is still the one that was judged, by the steps of docs/protocols.md "Untag". The
 * tombstone says that retention did it.
 * @returns whether it was removed: not if it has been written meanwhile.
 */
export async function expireTag(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  judged: Version,
): Promise<boolean> {
  const state = await readTag(store, name, tag);
  if (state.version !== judged || state.target === undefined) return false;
  const after = await swapTagToTombstone(store, name, tag, state, "retention");
  if (after === undefined) return false;
  await projectUntilStable(store, name, tag, after);
  return true;
}
