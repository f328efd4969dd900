import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { isTooManyWrites } from "./r2-error.ts";
import { whenWritable } from "./register.ts";
import type { Store } from "./store.ts";

/**
 * A claim this young, in milliseconds, needs no renewal: garbage collection leaves claims younger than its
 * grace alone, which is at least an hour. Rests on clocks that agree within 30 seconds (docs/protocols.md).
 */
const fresh = 10 * 60 * 1000;

/**
 * Puts the owner record of a blob: `name` is about to link it. Always written before the bytes and the link, so
 * that whatever is linked is claimed, and written again each time, so that the claim is young.
 */
export async function claim(store: Store, digest: Digest, name: RepositoryName): Promise<void> {
  const key = store.layout.owner(digest, name);
  try {
    await store.bucket.put(key, "");
  } catch (error) {
    if (!isTooManyWrites(error)) throw error;
    // Others claim the same blob for the same repository at this moment; their claim is as good as ours.
    await whenWritable(store, async () => {
      const owner = await store.bucket.head(key);
      if (owner === null || store.clock.now() - owner.uploaded.getTime() > fresh)
        await store.bucket.put(key, "");
    });
  }
}
