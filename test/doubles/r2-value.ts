/** What R2 and KV take as a value. */
export type Value = ReadableStream | ArrayBuffer | ArrayBufferView | string | null | Blob;

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

/**
 * The bytes of `value`: at once if they are in memory (copied, as the binding does), else when the stream ended.
 * Unlike R2's binding it accepts a stream of unknown length, since a stream does not tell its length to a script.
 */
export function bytesOf(value: Value): Bytes | Promise<Bytes> {
  if (value === null || value === undefined) return new Uint8Array();
  if (typeof value === "string") return new Uint8Array(encoder.encode(value));
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  return new Response(value).arrayBuffer().then((buffer) => new Uint8Array(buffer));
}
