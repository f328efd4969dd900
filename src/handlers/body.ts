import { clientGone } from "../oci/error.ts";
import { concatenated } from "../oci/read-bytes.ts";

/**
 * Bytes of an unwanted body that are read and dropped, so that the client gets to read the answer: more than the
 * largest body that most plans let through.
 */
const drainLimit = 128 * 1024 * 1024;
/** Bytes that are dropped at once: reading without a buffer of one's own gives pieces of 4 KiB. */
const drainPiece = 256 * 1024;

/** Bytes that the request announces, or undefined when its body comes without a length. */
export function contentLength(request: Request): number | undefined {
  const header = request.headers.get("Content-Length");
  if (header !== null) return Number(header);
  return request.body === null ? 0 : undefined;
}

/**
 * The whole body, if it has at most `limit` bytes; undefined if it has more. What is left of a larger one is
 * for `drain`.
 * @throws RegistryError SIZE_INVALID (499) when the body ends before its announced length.
 */
export async function readLimited(
  request: Request,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { body } = request;
  if (body === null) return new Uint8Array(0);
  const announced = contentLength(request);
  if (announced !== undefined) return announced > limit ? undefined : readAll(request);
  const reader = (body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(endedEarly);
    if (done) return concatenated(chunks, size);
    size += value.byteLength;
    if (size > limit) break;
    chunks.push(value);
  }
  reader.releaseLock();
  return undefined;
}

/**
 * Reads and drops what is left of a body that nobody wanted, some megabytes at most: an answer to a request
 * that is still being sent reaches few clients.
 */
export async function drain(request: Request): Promise<void> {
  const { body } = request;
  if (body === null || body.locked) return;
  try {
    const reader = (body as ReadableStream).getReader({ mode: "byob" });
    let piece = new Uint8Array(drainPiece);
    for (let left = drainLimit; left > 0; left -= piece.byteLength) {
      const { done, value } = await reader.readAtLeast(drainPiece, piece);
      if (done || value === undefined) return;
      piece = new Uint8Array(value.buffer as ArrayBuffer);
    }
    await reader.cancel();
  } catch {
    // The client went away, or somebody has read the body to its end: either way nobody is waiting for this.
  }
}

/**
 * The whole body. Its announced length, or a limit of the caller's, bounds the memory.
 * @throws RegistryError SIZE_INVALID (499) when it ends early.
 */
export async function readAll(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await request.arrayBuffer().catch(endedEarly));
}

function endedEarly(cause: unknown): never {
  throw clientGone(cause);
}
