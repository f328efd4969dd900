import { algorithmOf, type Digest, encodedOf } from "../oci/digest.ts";
import { isTooManyWrites } from "./r2-error.ts";
import { whenWritable } from "./register.ts";
import type { Store } from "./store.ts";

/** The option with which R2 stores bytes only if they have this digest. */
export function checkedBy(digest: Digest): { sha256: string } | { sha512: string } {
  const encoded = encodedOf(digest);
  return algorithmOf(digest) === "sha256" ? { sha256: encoded } : { sha512: encoded };
}

/** Puts bytes at hand to their content key; R2 checks them against the digest. Repeatable at any time. */
export async function putData(store: Store, digest: Digest, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const put = () => store.bucket.put(store.layout.blobData(digest), bytes, checkedBy(digest));
  try {
    await put();
  } catch (error) {
    if (!isTooManyWrites(error)) throw error;
    // Others write the same bytes at this moment: whoever finds them there has what he wanted.
    await whenWritable(store, async () => {
      if (!(await hasData(store, digest))) await put();
    });
  }
}

/** As putData, but looks first: a write that is spared costs a twelfth. */
export async function putDataIfAbsent(
  store: Store,
  digest: Digest,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  if (!(await hasData(store, digest))) await putData(store, digest, bytes);
}

async function hasData(store: Store, digest: Digest): Promise<boolean> {
  return (await store.bucket.head(store.layout.blobData(digest))) !== null;
}
