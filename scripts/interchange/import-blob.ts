import { createHash } from "node:crypto";
import { algorithmOf, type Digest, digestFrom } from "../../src/oci/digest.ts";
import { checkedBy } from "../../src/storage/data.ts";
import { isBadDigest } from "../../src/storage/r2-error.ts";
import type { Store } from "../../src/storage/store.ts";

/** Bytes of a part, and of the largest blob that is put in one piece: what one copy holds in memory. */
const partSize = 32 * 1024 * 1024;

/** Thrown when bytes do not have the digest under which they are kept: nothing is stored then. */
export class WrongDigest extends Error {}

/**
 * Copies bytes to the content key of `digest`: R2 checks a blob of one part; a larger one is hashed on the way,
 * and completed only if the digest is right.
 * @throws WrongDigest
 * @throws Error if the body does not hold `size` bytes.
 */
export async function importBlob(
  store: Store,
  body: AsyncIterable<Uint8Array>,
  digest: Digest,
  size: number,
): Promise<void> {
  const parts = partsOf(body, size);
  if (size <= partSize) await putWhole(store, parts, digest);
  else await putParts(store, parts, digest);
}

type Parts = AsyncIterable<Uint8Array<ArrayBuffer>>;

async function putWhole(store: Store, parts: Parts, digest: Digest): Promise<void> {
  try {
    for await (const bytes of parts) {
      await store.bucket.put(store.layout.blobData(digest), bytes, checkedBy(digest));
    }
  } catch (error) {
    if (isBadDigest(error)) throw new WrongDigest(digest);
    throw error;
  }
}

async function putParts(store: Store, parts: Parts, digest: Digest): Promise<void> {
  const algorithm = algorithmOf(digest);
  const hash = createHash(algorithm);
  const upload = await store.bucket.createMultipartUpload(store.layout.blobData(digest));
  try {
    const uploaded: R2UploadedPart[] = [];
    for await (const bytes of parts) {
      hash.update(bytes);
      uploaded.push(await upload.uploadPart(uploaded.length + 1, bytes));
    }
    if (digestFrom(algorithm, hash.digest("hex")) !== digest) throw new WrongDigest(digest);
    await upload.complete(uploaded);
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

/** The body in parts of `partSize`; the last one, which may be the only one and empty, only if `size` is right. */
async function* partsOf(body: AsyncIterable<Uint8Array>, size: number): Parts {
  let left = size;
  let part = new Uint8Array(Math.min(partSize, left));
  let filled = 0;
  for await (const chunk of body) {
    if (chunk.byteLength > left - filled) throw new Error(`more than the ${size} bytes that were expected`);
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (filled === part.byteLength) {
        yield part;
        left -= filled;
        part = new Uint8Array(Math.min(partSize, left));
        filled = 0;
      }
      const piece = chunk.subarray(taken, taken + part.byteLength - filled);
      part.set(piece, filled);
      filled += piece.byteLength;
      taken += piece.byteLength;
    }
  }
  if (filled !== left) throw new Error(`fewer than the ${size} bytes that were expected`);
  yield part;
}
