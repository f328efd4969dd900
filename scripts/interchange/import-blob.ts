import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { algorithmOf, type Digest, digestFrom } from "../../src/oci/digest.ts";
import { checkedBy } from "../../src/storage/data.ts";
import { isBadDigest } from "../../src/storage/r2-error.ts";
import type { Store } from "../../src/storage/store.ts";

/** Bytes of a part, and of the largest blob that is put in one piece: what one copy holds in memory. */
const partSize = 32 * 1024 * 1024;

/** Thrown when bytes do not have the digest under which they are kept: nothing is stored then. */
export class WrongDigest extends Error {}

/**
 * Copies a file to the content key of `digest`: R2 checks a blob of one part; a larger one is hashed on the way,
 * and completed only if the digest is right.
 * @throws WrongDigest
 */
export async function importBlob(store: Store, path: string, digest: Digest, size: number): Promise<void> {
  const file = await open(path);
  try {
    if (size <= partSize) await putWhole(store, file, digest, size);
    else await putParts(store, file, digest, size);
  } finally {
    await file.close();
  }
}

async function putWhole(store: Store, file: FileHandle, digest: Digest, size: number): Promise<void> {
  const bytes = await readPart(file, 0, size);
  try {
    await store.bucket.put(store.layout.blobData(digest), bytes, checkedBy(digest));
  } catch (error) {
    if (isBadDigest(error)) throw new WrongDigest(digest);
    throw error;
  }
}

async function putParts(store: Store, file: FileHandle, digest: Digest, size: number): Promise<void> {
  const algorithm = algorithmOf(digest);
  const hash = createHash(algorithm);
  const upload = await store.bucket.createMultipartUpload(store.layout.blobData(digest));
  try {
    const parts: R2UploadedPart[] = [];
    for (let from = 0; from < size; from += partSize) {
      const bytes = await readPart(file, from, Math.min(partSize, size - from));
      hash.update(bytes);
      parts.push(await upload.uploadPart(parts.length + 1, bytes));
    }
    if (digestFrom(algorithm, hash.digest("hex")) !== digest) throw new WrongDigest(digest);
    await upload.complete(parts);
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

async function readPart(file: FileHandle, from: number, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let read = 0; read < size; ) {
    const { bytesRead } = await file.read(bytes, read, size - read, from + read);
    if (bytesRead === 0) throw new Error("the file became shorter while it was read");
    read += bytesRead;
  }
  return bytes;
}
