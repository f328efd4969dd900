import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ByteRange, contentRange, parseRange, unsatisfiedRange } from "../../src/oci/range.ts";

const fiveTebibytes = 5 * 2 ** 40;

function rangesOf(header: string, size: number): readonly ByteRange[] | "unsatisfiable" | undefined {
  const result = parseRange(header, size);
  return result?.kind === "ranges" ? result.ranges : result?.kind;
}

describe("parseRange of 2048 bytes", () => {
  test.each([
    ["OCI requirement 31: both ends", "bytes=500-1499", [{ offset: 500, length: 1000 }]],
    ["OCI requirement 31: open", "bytes=500-", [{ offset: 500, length: 1548 }]],
    ["OCI requirement 31: suffix", "bytes=-500", [{ offset: 1548, length: 500 }]],
    ["OCI requirement 31: end beyond the blob", "bytes=2000-5000", [{ offset: 2000, length: 48 }]],
    ["one byte", "bytes=0-0", [{ offset: 0, length: 1 }]],
    ["the last byte", "bytes=2047-", [{ offset: 2047, length: 1 }]],
    ["suffix longer than the blob", "bytes=-5000", [{ offset: 0, length: 2048 }]],
    ["an end of 400 digits", `bytes=1-${"9".repeat(400)}`, [{ offset: 1, length: 2047 }]],
    ["E5: white space, letter case, empty elements", "Bytes= 1-2 ,, ", [{ offset: 1, length: 2 }]],
    [
      "E5: several, in the order asked for, though adjacent",
      "bytes=10-19,0-9, -1",
      [
        { offset: 10, length: 10 },
        { offset: 0, length: 10 },
        { offset: 2047, length: 1 },
      ],
    ],
    ["RFC 9110, 14.1.2: those beyond the blob are left out", "bytes=9000-,0-1", [{ offset: 0, length: 2 }]],
    ["OCI requirement 32: beyond the blob", "bytes=5000-10000", "unsatisfiable"],
    ["OCI requirement 32: reversed", "bytes=500-0", "unsatisfiable"],
    ["OCI requirement 32: reversed beside a good one", "bytes=0-1,500-0", "unsatisfiable"],
    ["starts where the blob ends", "bytes=2048-", "unsatisfiable"],
    ["suffix of nothing", "bytes=-0", "unsatisfiable"],
    ["a start of 400 digits", `bytes=${"9".repeat(400)}-`, "unsatisfiable"],
    ["RFC 9110, 14.2: another unit", "lines=0-1", undefined],
    ["RFC 9110, 14.2: syntax", "bytes=a-b", undefined],
    ["RFC 9110, 14.2: syntax of one of them", "bytes=0-1,x", undefined],
    ["RFC 9110, 14.2: no hyphen", "bytes=5", undefined],
    ["RFC 9110, 14.2: hyphen alone", "bytes=-", undefined],
    ["RFC 9110, 14.2: signs", "bytes=+1-2", undefined],
    ["RFC 9110, 14.2: nothing", "bytes=", undefined],
    ["RFC 9110, 14.2: no unit", "0-1", undefined],
    ["RFC 9110, 17.15: more in all than the blob", "bytes=0-,0-", undefined],
  ] as const)("%s: %s", (_, header, expected) => {
    expect(rangesOf(header, 2048)).toEqual(expected);
  });

  test("no header", () => {
    expect(parseRange(null, 2048)).toBeUndefined();
  });

  test("RFC 9110, 17.15: 64 parts at most", () => {
    const parts = (count: number) => `bytes=${Array.from({ length: count }, (_, i) => `${i}-${i}`).join()}`;
    expect(rangesOf(parts(64), 2048)).toHaveLength(64);
    expect(rangesOf(parts(65), 2048)).toBeUndefined();
  });
});

test.each(["bytes=0-", "bytes=-5", "bytes=5-0", "bytes=0-0"])(
  "an empty blob is served whole: %s",
  (header) => {
    expect(parseRange(header, 0)).toBeUndefined();
  },
);

test("the end of a blob of 5 TiB", () => {
  expect(rangesOf(`bytes=${fiveTebibytes - 2}-`, fiveTebibytes)).toEqual([
    { offset: fiveTebibytes - 2, length: 2 },
  ]);
});

describe("Content-Range", () => {
  test("OCI requirement 31: of a 206", () => {
    expect(contentRange({ offset: 500, length: 1000 }, 2048)).toBe("bytes 500-1499/2048");
    expect(contentRange({ offset: fiveTebibytes - 1, length: 1 }, fiveTebibytes)).toBe(
      "bytes 5497558138879-5497558138879/5497558138880",
    );
  });

  test("E6: of a 416", () => {
    expect(unsatisfiedRange(2048)).toBe("bytes */2048");
  });
});

const sizes = fc.integer({ min: 1, max: fiveTebibytes });

test("a range that was written is read again", () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), (size, from, extent) => {
      const offset = from % size;
      const length = 1 + (extent % (size - offset));
      const written = contentRange({ offset, length }, size).replace(/^bytes (.*)\/\d+$/, "bytes=$1");
      expect(rangesOf(written, size)).toEqual([{ offset, length }]);
    }),
  );
});

test("whatever the header, the parts lie within the blob", () => {
  const number = fc.oneof(fc.constant(""), fc.bigInt({ min: 0n, max: 2n ** 70n }).map(String));
  const spec = fc.tuple(number, number).map(([first, last]) => `${first}-${last}`);
  const header = fc.oneof(
    fc.array(spec, { maxLength: 5 }).map((specs) => `bytes=${specs.join(",")}`),
    fc.string({ unit: "binary" }).map((text) => `bytes=${text}`),
  );
  fc.assert(
    fc.property(header, sizes, (text, size) => {
      const ranges = rangesOf(text, size);
      if (!Array.isArray(ranges)) return;
      for (const { offset, length } of ranges) {
        expect(Number.isSafeInteger(offset) && offset >= 0).toBe(true);
        expect(Number.isSafeInteger(length) && length >= 1).toBe(true);
        expect(offset + length).toBeLessThanOrEqual(size);
      }
    }),
  );
});
