import { algorithmOf, type Digest, encodedOf, toHex } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { Content, PutBody } from "./content.ts";
import { fedStream } from "./fed-stream.ts";
import type { Store } from "./store.ts";

const mebibyte = 1024 * 1024;
/** Bytes of a part unless that makes more than R2's 10,000 parts. */
const usualPartSize = 8 * mebibyte;
const maxParts = 10_000;
/** Bytes of a part that are in memory at once. */
const pieceSize = mebibyte / 4;

/**
 * Stores content that is too large for one put as an R2 multipart upload of equal parts. A multipart upload
 * takes no digest, so the content is hashed on the way, and completed only if the digest agrees.
 * @throws RegistryError DIGEST_INVALID (400): nothing is stored.
 */
export async function putInParts(store: Store, key: string, digest: Digest, content: Content): Promise<void> {
  const upload = await store.bucket.createMultipartUpload(key);
  try {
    const { parts, hash } = await content.into((body) => uploadParts(upload, digest, body, content.size));
    if (hash !== encodedOf(digest)) throw new RegistryError("DIGEST_INVALID", { detail: digest });
    await upload.complete(parts);
  } catch (error) {
    // R2 drops an upload that cannot be aborted after seven days.
    await upload.abort().catch(() => undefined);
    throw error;
  }
}

async function uploadParts(
  upload: R2MultipartUpload,
  digest: Digest,
  body: PutBody,
  size: number,
): Promise<{ parts: R2UploadedPart[]; hash: string }> {
  const stream = body instanceof ReadableStream ? body : new Response(body).body;
  const reader = (stream as ReadableStream).getReader({ mode: "byob" });
  const digestStream = new crypto.DigestStream(algorithmOf(digest) === "sha256" ? "SHA-256" : "SHA-512");
  // Awaited at the end; a failure before that must not count as unhandled.
  digestStream.digest.catch(() => undefined);
  const hasher = digestStream.getWriter();
  const parts: R2UploadedPart[] = [];
  let buffer = new ArrayBuffer(pieceSize);
  const feed = async (writable: WritableStream<Uint8Array>, length: number) => {
    const writer = writable.getWriter();
    for (let left = length; left > 0; ) {
      const wanted = Math.min(left, pieceSize);
      const { value } = await reader.readAtLeast(wanted, new Uint8Array(buffer, 0, wanted));
      if (value === undefined || value.byteLength === 0) throw new Error("the content ended early");
      await Promise.all([hasher.write(value), writer.write(value)]);
      left -= value.byteLength;
      buffer = value.buffer as ArrayBuffer;
    }
    writer.releaseLock();
  };
  try {
    for (let left = size; left > 0; ) {
      const length = Math.min(left, partSize(size));
      const put = (part: ReadableStream) => upload.uploadPart(parts.length + 1, part);
      parts.push(await fedStream(length, (writable) => feed(writable, length), put));
      left -= length;
    }
  } catch (error) {
    // Whoever writes to the other end of the body must not wait for a reader that is gone.
    await reader.cancel(error).catch(() => undefined);
    await hasher.abort(error).catch(() => undefined);
    throw error;
  }
  await hasher.close();
  return { parts, hash: toHex(await digestStream.digest) };
}

function partSize(size: number): number {
  const needed = Math.ceil(size / maxParts / mebibyte) * mebibyte;
  return Math.max(usualPartSize, needed);
}
