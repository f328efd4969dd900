import { type ByteRange, contentRange } from "../oci/range.ts";
import { type Blob, openRange } from "../storage/blobs.ts";
import type { Store } from "../storage/store.ts";

/**
 * A `multipart/byteranges` body (RFC 9110 section 14.6) of known length: each part is a range read of its own,
 * begun when the client has taken the parts before it.
 */
export function multipartRanges(
  store: Store,
  blob: Blob,
  ranges: readonly ByteRange[],
  contentType: string,
): { readonly body: ReadableStream; readonly length: number; readonly type: string } {
  const boundary = crypto.randomUUID();
  const heads = ranges.map((range, index) => {
    const lead = index === 0 ? "" : "\r\n";
    const place = contentRange(range, blob.size);
    return `${lead}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: ${place}\r\n\r\n`;
  });
  const tail = `\r\n--${boundary}--\r\n`;
  const length =
    ranges.reduce((sum, range) => sum + range.length, 0) +
    heads.reduce((sum, head) => sum + head.length, tail.length);

  const { readable, writable } = new FixedLengthStream(length);
  const encoder = new TextEncoder();
  const write = async (text: string) => {
    const writer = writable.getWriter();
    await writer.write(encoder.encode(text));
    writer.releaseLock();
  };
  const pump = async () => {
    for (const [index, range] of ranges.entries()) {
      await write(heads[index] ?? "");
      const part = await openRange(store, blob, range);
      if (part === undefined) throw new Error("the blob went away");
      await part.pipeTo(writable, { preventClose: true });
    }
    await write(tail);
    await writable.close();
  };
  // A client that hangs up breaks the pipe; a blob that goes away breaks the answer. Neither has anyone to tell.
  pump().catch((error: unknown) => writable.abort(error).catch(() => undefined));
  return { body: readable, length, type: `multipart/byteranges; boundary=${boundary}` };
}
