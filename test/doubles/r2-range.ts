import { r2Error } from "./r2-error.ts";

/** A part of an object: `length` bytes from `offset`. */
export interface Slice {
  readonly offset: number;
  readonly length: number;
}

/**
 * The part of an object of `size` bytes that the `range` of a get asks for.
 * Like R2's binding: a `Range` header that cannot be satisfied, is malformed or names several ranges gives the
 * whole object, options that cannot be satisfied give error 10039.
 */
export function sliceOf(range: R2Range | Headers | undefined, size: number): Slice {
  const whole = { offset: 0, length: size };
  if (range === undefined) return whole;
  if (range instanceof Headers) return sliceOfHeader(range.get("range") ?? "", size) ?? whole;
  if ("suffix" in range) {
    const length = Math.min(range.suffix, size);
    if (length <= 0) throw r2Error("get", 10039);
    return { offset: size - length, length };
  }
  const offset = range.offset ?? 0;
  const length = Math.min(range.length ?? size - offset, size - offset);
  if (length <= 0) throw r2Error("get", 10039);
  return { offset, length };
}

/** @throws RangeError for a negative number, whether the object exists or not. */
export function checkRange(range: R2Range | Headers | undefined): void {
  if (range === undefined || range instanceof Headers) return;
  const { offset = 0, length = 0, suffix = 0 } = range as Partial<Slice> & { readonly suffix?: number };
  if (offset < 0) {
    throw new RangeError(`Invalid range. Starting offset (${offset}) must be greater than or equal to 0.`);
  }
  if (length < 0)
    throw new RangeError(`Invalid range. Length (${length}) must be greater than or equal to 0.`);
  if (suffix < 0)
    throw new RangeError(`Invalid suffix. Suffix (${suffix}) must be greater than or equal to 0.`);
}

function sliceOfHeader(header: string, size: number): Slice | undefined {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header);
  const first = match?.[1] ?? "";
  const last = match?.[2] ?? "";
  if (first === "") {
    const length = Number(last);
    return last === "" || length === 0 || length >= size ? undefined : { offset: size - length, length };
  }
  const offset = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return offset >= size || end < offset ? undefined : { offset, length: end - offset + 1 };
}
