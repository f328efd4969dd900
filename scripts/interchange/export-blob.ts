import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../src/oci/digest.ts";
import type { Store } from "../../src/storage/store.ts";
import { treeLayout } from "./tree.ts";
import { OtherBytes, writeBlob } from "./write-blob.ts";

/**
 * Copies a blob of the bucket into the tree.
 * @returns whether it was not there yet.
 * @throws OtherBytes when the bucket's bytes do not have that digest.
 */
export async function exportBlob(store: Store, root: string, digest: Digest, size: number): Promise<boolean> {
  const present = await stat(join(root, treeLayout.blobData(digest))).catch(() => undefined);
  if (present?.size === size) return false;
  const object = await store.bucket.get(store.layout.blobData(digest));
  if (object === null) throw new OtherBytes(digest);
  await writeBlob(root, digest, object.body);
  return true;
}
