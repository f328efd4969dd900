import { RegistryError } from "./error.ts";
import { clip } from "./invalid.ts";

/** The place of a chunk within its upload: offsets of its first and last byte, safe integers, start <= end. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The place that the `Content-Range` of an upload's chunk names (distribution-spec, "Pushing a blob in chunks"):
 * `a-b`, and also `bytes a-b/n`, `bytes a-b/*` and `bytes=a-b`, which clients send (E30, M11). `"reversed"` if
 * the end comes before the start: a 416 like every chunk out of order. Undefined without a header.
 * @throws RegistryError BLOB_UPLOAD_INVALID (400) for anything else, such as a chunk that ends beyond `n`.
 */
export function parseContentRange(header: string | null): ContentRange | "reversed" | undefined {
  if (header === null) return undefined;
  const [, first, last, total] = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(\d+|\*))?$/i.exec(header.trim()) ?? [];
  const start = Number(first);
  const end = Number(last);
  const size = total === undefined || total === "*" ? Number.POSITIVE_INFINITY : Number(total);
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || end >= size) {
    throw new RegistryError("BLOB_UPLOAD_INVALID", {
      status: 400,
      message: "invalid Content-Range: <start>-<end> expected",
      detail: clip(header),
    });
  }
  return end < start ? "reversed" : { start, end };
}
