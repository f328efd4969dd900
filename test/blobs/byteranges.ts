/** One part of a `multipart/byteranges` body. */
export interface Part {
  readonly contentType: string;
  readonly contentRange: string;
  readonly bytes: Uint8Array;
}

/** The parts of a `multipart/byteranges` answer, which must be well-formed to the last byte (RFC 2046, 5.1). */
export function partsOf(contentType: string, body: Uint8Array): readonly Part[] {
  const boundary = /^multipart\/byteranges; boundary=([\w-]{1,70})$/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error(`not multipart/byteranges: ${contentType}`);
  const text = Array.from(body, (byte) => String.fromCharCode(byte)).join("");
  const end = `\r\n--${boundary}--\r\n`;
  if (!text.startsWith(`--${boundary}\r\n`) || !text.endsWith(end)) throw new Error("no boundary at an end");
  const inner = text.slice(`--${boundary}\r\n`.length, -end.length);
  return inner.split(`\r\n--${boundary}\r\n`).map((part) => {
    const blank = part.indexOf("\r\n\r\n");
    const headers = new Headers(
      part
        .slice(0, blank)
        .split("\r\n")
        .map((line): [string, string] => [line.split(": ")[0] ?? "", line.split(": ")[1] ?? ""]),
    );
    return {
      contentType: headers.get("Content-Type") ?? "",
      contentRange: headers.get("Content-Range") ?? "",
      bytes: Uint8Array.from(part.slice(blank + 4), (character) => character.charCodeAt(0)),
    };
  });
}
