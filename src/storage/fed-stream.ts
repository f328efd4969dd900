import { clientGone, RegistryError } from "../oci/error.ts";

/**
 * Hands a put a stream of known length, as R2 wants it, and feeds the stream meanwhile. A feed that fails, or ends
 * early, makes the put fail: nothing is stored.
 * @param size bytes that `feed` writes; it need not close what it writes to.
 * @throws what `feed` says if that is a RegistryError, else what `put` says: a put that fails breaks the feed too.
 */
export async function fedStream<Result>(
  size: number,
  feed: (writable: WritableStream<Uint8Array>) => Promise<void>,
  put: (readable: ReadableStream) => Promise<Result>,
): Promise<Result> {
  const { readable, writable } = new FixedLengthStream(size);
  // Once a put has failed, it may be that nobody reads the stream, and that its end never comes.
  const failed = Promise.withResolvers<void>();
  const putting = async () => {
    try {
      return await put(readable);
    } catch (error) {
      failed.resolve();
      throw error;
    }
  };
  const feeding = async () => {
    try {
      await feed(writable);
      await Promise.race([writable.close(), failed.promise]);
    } catch (error) {
      await Promise.race([writable.abort(error).catch(() => undefined), failed.promise]);
      throw error;
    }
  };
  const [fed, stored] = await Promise.allSettled([feeding(), putting()]);
  if (fed.status === "rejected" && fed.reason instanceof RegistryError) throw fed.reason;
  if (stored.status === "rejected") throw stored.reason;
  if (fed.status === "rejected") throw fed.reason;
  return stored.value;
}

/**
 * Hands a put the body of a request, of `size` bytes, and tells a client that goes away from a bucket that fails:
 * R2 says "Network connection lost" of both.
 * @throws RegistryError SIZE_INVALID (499) when the client goes away, else what `put` says.
 */
export function relayedStream<Result>(
  body: ReadableStream,
  size: number,
  put: (readable: ReadableStream) => Promise<Result>,
): Promise<Result> {
  let isSettled = false;
  const feed = async (writable: WritableStream<Uint8Array>) => {
    try {
      await body.pipeTo(writable, { preventClose: true });
    } catch (cause) {
      // Each side takes the other with it, so the one that fails first is the one that failed.
      throw isSettled ? cause : clientGone(cause);
    }
  };
  const watched = async (readable: ReadableStream) => {
    try {
      return await put(readable);
    } finally {
      isSettled = true;
    }
  };
  return fedStream(size, feed, watched);
}

/** Bytes of a piece of a body that is looked at piece by piece. */
const pieceSize = 64 * 1024;

/**
 * Hands a put a body that does not announce its length as one of `size` bytes. Every piece waits for the next
 * one, so that a longer body is found out before the put has all it wants, and stores nothing.
 * @throws RegistryError SIZE_INVALID: 400 for a body of another length, 499 when it breaks off.
 */
export function sizedStream<Result>(
  body: ReadableStream,
  size: number,
  put: (readable: ReadableStream) => Promise<Result>,
): Promise<Result> {
  const feed = async (writable: WritableStream<Uint8Array>) => {
    const reader = body.getReader({ mode: "byob" });
    const writer = writable.getWriter();
    const read = async () => {
      const piece = reader.readAtLeast(pieceSize, new Uint8Array(pieceSize)).catch(brokeOff);
      return (await piece).value ?? new Uint8Array(0);
    };
    try {
      let held = await read();
      for (let seen = held.byteLength; ; ) {
        const next = await read();
        const isEnd = next.byteLength === 0;
        seen += next.byteLength;
        if (seen > size || (isEnd && seen < size)) {
          throw new RegistryError("SIZE_INVALID", { message: "Content-Range and body disagree" });
        }
        await writer.write(held);
        if (isEnd) return;
        held = next;
      }
    } finally {
      reader.releaseLock();
      writer.releaseLock();
    }
  };
  return fedStream(size, feed, put);
}

function brokeOff(cause: unknown): never {
  throw clientGone(cause);
}
