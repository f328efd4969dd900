/** A part of a blob: `length` bytes (at least 1) from `offset`, which counts from 0. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What a `Range` header asks of a blob that has bytes: parts in the order asked for, or nothing that exists. */
export type RangeResult =
  | { readonly kind: "ranges"; readonly ranges: readonly [ByteRange, ...ByteRange[]] }
  | { readonly kind: "unsatisfiable" };

/** Each part of an answer is one read of the bucket; a client that asks for more gets the whole blob. */
const maxRanges = 64;

/**
 * The parts of a blob of `size` bytes that a `Range` header asks for (RFC 9110, 14.1 and 14.2; E5, E6; OCI
 * requirements 30 to 32), or undefined if the whole blob is to be served: no header, a unit other than bytes, a
 * syntax error, an empty blob, more than 64 parts, or parts that add up to more than the blob.
 *
 * Parts are neither merged nor sorted: podman wants as many as it asked for. A range whose ends are reversed
 * makes the header unsatisfiable: RFC 9110 leaves that open, the conformance suite asks for it.
 */
export function parseRange(header: string | null, size: number): RangeResult | undefined {
  const set = /^\s*bytes=(.*)$/i.exec(header ?? "")?.[1];
  if (set === undefined || size === 0) return undefined;
  const specs = set.split(",").map((spec) => spec.trim());
  const parsed = specs.filter((spec) => spec !== "").map((spec) => parseSpec(spec, size));
  if (parsed.length === 0 || parsed.length > maxRanges || parsed.includes("invalid")) return undefined;
  const [first, ...rest] = parsed.filter((part) => typeof part === "object");
  if (first === undefined || parsed.includes("reversed")) return { kind: "unsatisfiable" };
  const total = rest.reduce((sum, part) => sum + part.length, first.length);
  return total > size ? undefined : { kind: "ranges", ranges: [first, ...rest] };
}

/** `Content-Range` of a 206, or of one part of it, for a blob of `size` bytes. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
}

/** `Content-Range` of a 416 for a blob of `size` bytes. */
export function unsatisfiedRange(size: number): string {
  return `bytes */${size}`;
}

/** Ends beyond what a number holds exactly lie beyond every blob, so that their lost digits do not matter. */
function parseSpec(spec: string, size: number): ByteRange | "beyond" | "reversed" | "invalid" {
  const suffix = /^-(\d+)$/.exec(spec)?.[1];
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? "beyond" : { offset: size - length, length };
  }
  const [, first, last] = /^(\d+)-(\d*)$/.exec(spec) ?? [];
  if (first === undefined) return "invalid";
  const offset = Number(first);
  const end = last ? Number(last) : Number.POSITIVE_INFINITY;
  if (end < offset) return "reversed";
  return offset >= size ? "beyond" : { offset, length: Math.min(end, size - 1) - offset + 1 };
}
