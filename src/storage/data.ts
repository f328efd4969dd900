import { algorithmOf, type Digest, encodedOf } from "../oci/digest.ts";
import { whenWritable } from "./register.ts";
import type { Store } from "./store.ts";

/** The option with which R2 stores bytes only if they have this digest. */
export function checkedBy(digest: Digest): { sha256: string } | { sha512: string } {
  const encoded = encodedOf(digest);
  return algorithmOf(digest) === "sha256" ? { sha256: encoded } : { sha512: encoded };
}

/** Puts bytes at hand to their content key; R2 checks them against the digest. Repeatable at any time. */
export async function putData(store: Store, digest: Digest, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await whenWritable(store, () => store.bucket.put(store.layout.blobData(digest), bytes, checkedBy(digest)));
}
