import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { algorithmOf, type Digest, digestFrom } from "../../src/oci/digest.ts";
import { treeLayout } from "./tree.ts";

/** Thrown when bytes do not have the digest under which they are kept: no file is written then. */
export class OtherBytes extends Error {}

/**
 * Writes a blob into the tree by way of a temporary file, hashed on the way: a file that is there is whole.
 * @throws OtherBytes
 */
export async function writeBlob(
  root: string,
  digest: Digest,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const path = join(root, treeLayout.blobData(digest));
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const algorithm = algorithmOf(digest);
    const hash = createHash(algorithm);
    await pipeline(
      body,
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
}
