import type { Digest } from "../../oci/digest.ts";
import { retryLater } from "../../oci/error.ts";
import type { RepositoryName, Tag } from "../../oci/name.ts";
import { readLegacyTag } from "../../storage/legacy-tags.ts";
import { isSameLife, readLink } from "../../storage/link.ts";
import { statManifest } from "../../storage/manifests.ts";
import { isOwnLink, projectRecord, projectUntilStable } from "../../storage/projection.ts";
import { whenWritable } from "../../storage/register.ts";
import type { Store } from "../../storage/store.ts";
import { readTag, swapTag, swapTagToTombstone, type TagState } from "../../storage/tag-register.ts";
import { untagIf } from "../adopt-removals.ts";
import type { Adoption } from "../foreign-links.ts";
import type { Following } from "./following.ts";
import { adoptManifest } from "./foreign-manifest.ts";

/** How often a swap that is lost to requests is tried again before the event is put back. */
const tries = 5;

/**
 * Follows a tag that distribution set to `digest` (docs/protocols.md "Foreign writes"). It writes an entry of the
 * tag's index each time, and Skerry never does: the time of that entry against that of the register tells which of
 * the two came last. So events may come late, twice and in any order.
 * @throws RegistryError 503 when requests go on winning.
 */
export async function followTag(
  store: Store,
  following: Following,
  name: RepositoryName,
  tag: Tag,
  digest: Digest,
): Promise<Adoption> {
  const { bucket, layout } = store;
  for (let attempt = 0; attempt < tries; attempt++) {
    const before = await readTag(store, name, tag);
    const at = await timeOfEntry(store, name, tag, digest);
    if (at === undefined || (before.version !== undefined && before.at >= at)) return "kept";
    const first = before.history[0]?.digest;
    if (following.isImmutable(name, tag) && first !== undefined && first !== digest) {
      await projectUntilStable(store, name, tag, before);
      return "kept";
    }
    await following.onForeign();
    const adoption = await adoptManifest(store, following, name, digest);
    if (adoption !== "adopted" && adoption !== "kept") return adoption;
    const revision = await readLink(store, layout.revisionLink(name, digest), digest);
    if (revision.target === undefined) {
      if (revision.version === undefined || before.target === undefined) return "dangling";
      // The manifest was deleted after the tag had been set to it: the tag went with it, and does not go back.
      const after = await swapTagToTombstone(store, name, tag, before);
      if (after === undefined) continue;
      await projectUntilStable(store, name, tag, after);
      return "adopted";
    }
    const manifest = await statManifest(store, name, digest);
    if (manifest === undefined) return "dangling";
    await whenWritable(store, () => bucket.put(layout.tagged(name, digest, tag), ""));
    const target = { ...manifest, generation: revision.generation };
    const after = await swapTag(store, name, tag, before, target, at);
    if (after === undefined) continue;
    const now = await readLink(store, layout.revisionLink(name, digest), digest);
    if (now.target === undefined || !isSameLife(now.generation, revision.generation)) {
      // A delete by digest that looked for tags before the swap has left it to this.
      await untagIf(store, name, tag, (live) => live === undefined);
    } else await settle(store, name, tag, after);
    return "adopted";
  }
  throw retryLater(1, "the tag is being written by others");
}

/**
 * Looks at a `current/link` that was written: one of distribution's is followed if the tag's index has an entry of
 * it that is younger than the register, and else gives way to the register, which was written later.
 */
export async function reconcileLink(
  store: Store,
  following: Following,
  name: RepositoryName,
  tag: Tag,
): Promise<Adoption> {
  const head = await store.bucket.head(store.layout.currentLink(name, tag));
  if (head === null || isOwnLink(head)) return "kept";
  const state = await readTag(store, name, tag);
  const link = await readLegacyTag(store, name, tag);
  if (link === undefined || link.digest === state.target?.digest) return "kept";
  const at = await timeOfEntry(store, name, tag, link.digest);
  if (at === undefined) return "kept";
  if (state.version === undefined || at > state.at)
    return followTag(store, following, name, tag, link.digest);
  await following.onForeign();
  await projectUntilStable(store, name, tag, state);
  return "adopted";
}

/** When distribution last set the tag to the digest; undefined if it never did, or has removed the tag since. */
async function timeOfEntry(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  digest: Digest,
): Promise<number | undefined> {
  const entry = await store.bucket.head(store.layout.tagIndexLink(name, tag, digest));
  return entry?.uploaded.getTime();
}

/**
 * After a tag was followed: the record in KV, and distribution's link only where it says something else, and that
 * is no later write of distribution's, whose own event is under way.
 */
async function settle(store: Store, name: RepositoryName, tag: Tag, state: TagState): Promise<void> {
  const link = await readLegacyTag(store, name, tag);
  if (link?.digest !== state.target?.digest) {
    const at = link && (await timeOfEntry(store, name, tag, link.digest));
    if (at === undefined || at <= state.at) return void (await projectUntilStable(store, name, tag, state));
  }
  await projectRecord(store, name, tag, state.target);
  const now = await readTag(store, name, tag);
  if (now.version !== state.version) await projectUntilStable(store, name, tag, now);
}
