import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { Store } from "./store.ts";

/**
 * Garbage collection's note that no tag names a manifest, in this life of it: its time is that of the first sight.
 * It is an object of its own, because a live link that is written anew cannot be told from the one before: R2's
 * version is that of the content, and the content is the digest.
 */
export async function writeMark(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  generation: string,
): Promise<void> {
  await store.bucket.put(store.layout.untagged(name, digest), "", { customMetadata: { generation } });
}

/** The life of the manifest that the note is about. @param mark as a head or a listing with metadata shows it. */
export function markedGeneration(mark: R2Object): string {
  return mark.customMetadata?.generation ?? "";
}

/**
 * Takes the note away: whoever puts a manifest or points a tag at it wants it kept from now on. Before the last look
 * at the guard, so that a sweep which has seen the note is noticed. A delete that lands late makes a later note's
 * time begin anew, and harms nothing.
 */
export async function removeMark(store: Store, name: RepositoryName, digest: Digest): Promise<void> {
  await store.bucket.delete(store.layout.untagged(name, digest));
}
