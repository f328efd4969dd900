import { RegistryError } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import type { Key } from "../storage/key.ts";
import { unlistReferrer } from "../storage/referrer-entry.ts";
import type { Store } from "../storage/store.ts";
import { readTagHead, tagHeadOf } from "../storage/tag-register.ts";
import { type TagCondition, untag } from "../storage/tag-set.ts";

/** How old, in milliseconds, a register is whose `current/link` no request is about to write. */
export const settledAfter = 10 * 60 * 1000;

/**
 * Removes a tag that distribution has removed since its register was written: with its manifest, whose revision
 * link Skerry never removes while it is live, or alone, with its `current/link`.
 * @param object the register, as a head or a listing with metadata shows it.
 * @returns `unsettled` for one that looks removed, but was written so lately that a request may be about to write
 *   its link.
 */
export async function adoptTagRemoval(
  store: Store,
  object: R2Object,
  { name, tag }: Extract<Key, { kind: "tag" }>,
): Promise<"removed" | "kept" | "unsettled"> {
  const { bucket, layout, clock } = store;
  const { target, at } = tagHeadOf(object) ?? (await readTagHead(store, name, tag));
  if (target === undefined) return "kept";
  const { digest } = target;
  const removeIf = async (condition: TagCondition) =>
    (await untagIf(store, name, tag, condition)) ? "removed" : "kept";
  if ((await bucket.head(layout.revisionLink(name, digest))) === null) {
    return removeIf((live) => live === undefined);
  }
  if ((await bucket.head(layout.currentLink(name, tag))) !== null) return "kept";
  if (clock.now() - at < settledAfter) return "unsettled";
  return removeIf((live) => live === digest);
}

/** Takes a manifest off its subject's list if distribution has removed it. */
export async function adoptReferrerRemoval(
  store: Store,
  { name, subject, digest }: Extract<Key, { kind: "referrer" }>,
): Promise<void> {
  const revision = await store.bucket.head(store.layout.revisionLink(name, digest));
  if (revision === null) await unlistReferrer(store, name, subject, digest);
}

/** @returns whether the condition held, and the tag was there. */
export async function untagIf(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  condition: TagCondition,
): Promise<boolean> {
  try {
    await untag(store, name, tag, condition);
    return true;
  } catch (error) {
    // 404, 412: a request has removed the tag meanwhile, or set it anew.
    if (error instanceof RegistryError && (error.status === 404 || error.status === 412)) return false;
    throw error;
  }
}
