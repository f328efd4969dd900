import type { Digest } from "../oci/digest.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { liveLink, readLink, swapToTombstone } from "./link.ts";
import { isTooManyWrites } from "./r2-error.ts";
import { whenWritable } from "./register.ts";
import type { Store } from "./store.ts";

const tries = 5;

/**
 * Links a blob into a repository, whatever the link was before. The last step of a commit or a mount: claim,
 * bytes and guard have been seen to.
 */
export async function linkBlob(
  store: Store,
  name: RepositoryName,
  blob: { readonly digest: Digest; readonly size: number },
): Promise<void> {
  const key = store.layout.layerLink(name, blob.digest);
  const { body, metadata } = liveLink(blob);
  const put = () => store.bucket.put(key, body, { customMetadata: metadata });
  try {
    await put();
  } catch (error) {
    if (!isTooManyWrites(error)) throw error;
    // Many clients push one layer at once: whoever finds the link live has what he wanted.
    await whenWritable(store, async () => {
      if ((await readLink(store, key, blob.digest)).target === undefined) await put();
    });
  }
}

/**
 * Takes a blob out of a repository. Other repositories keep it; its bytes are garbage collection's.
 * @throws RegistryError BLOB_UNKNOWN (404), 503 when other writers go on winning.
 */
export async function unlinkBlob(store: Store, name: RepositoryName, digest: Digest): Promise<void> {
  const key = store.layout.layerLink(name, digest);
  for (let attempt = 0; attempt < tries; attempt++) {
    const link = await readLink(store, key, digest);
    if (link.target === undefined) throw new RegistryError("BLOB_UNKNOWN", { detail: digest });
    if ((await swapToTombstone(store, key, link)) !== undefined) return;
  }
  throw retryLater(1, "the blob is being written by others");
}
