import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { algorithmOf, type Digest, digestFrom } from "../../src/oci/digest.ts";
import type { Store } from "../../src/storage/store.ts";
import { treeLayout } from "./tree.ts";

/** Thrown when the bucket's bytes do not have the digest under which they are kept: no file is written then. */
export class OtherBytes extends Error {}

/**
 * Copies a blob into the tree by way of a temporary file, hashed on the way: a file that is there is whole.
 * @returns whether it was not there yet.
 * @throws OtherBytes
 */
export async function exportBlob(store: Store, root: string, digest: Digest, size: number): Promise<boolean> {
  const path = join(root, treeLayout.blobData(digest));
  const present = await stat(path).catch(() => undefined);
  if (present?.size === size) return false;
  const object = await store.bucket.get(store.layout.blobData(digest));
  if (object === null) throw new OtherBytes(digest);
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const algorithm = algorithmOf(digest);
    const hash = createHash(algorithm);
    await pipeline(
      object.body,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(temporary),
    );
    if (digestFrom(algorithm, hash.digest("hex")) !== digest) throw new OtherBytes(digest);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return true;
}
