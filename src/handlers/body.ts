import { RegistryError } from "../oci/error.ts";

/** Bytes that are read and dropped beyond a limit, so that the client gets to read the answer. */
const drained = 16 * 1024 * 1024;

/** Bytes that the request announces, or undefined when its body comes without a length. */
export function contentLength(request: Request): number | undefined {
  const header = request.headers.get("Content-Length");
  if (header !== null) return Number(header);
  return request.body === null ? 0 : undefined;
}

/**
 * The whole body, if it has at most `limit` bytes; undefined if it has more. Of a larger one some megabytes are
 * drained first: an answer to a request that is still being sent reaches few clients.
 */
export async function readLimited(
  request: Request,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { body } = request;
  if (body === null) return new Uint8Array(0);
  const announced = contentLength(request);
  if (announced !== undefined && announced <= limit) return readAll(request);
  const reader = (body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size <= limit) chunks.push(value);
    else chunks.length = 0;
    if (size > limit + drained) {
      await reader.cancel();
      break;
    }
  }
  return size > limit ? undefined : concatenate(chunks, size);
}

async function readAll(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (cause) {
    throw new RegistryError("SIZE_INVALID", { message: "the body ended early", cause });
  }
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
