import fc from "fast-check";
import { expect, test } from "vitest";
import { parseContentRange } from "../../src/oci/content-range.ts";
import { outcomeOf, refusalOf } from "./refusal.ts";

test.each([
  [null, undefined],
  ["0-511", { start: 0, end: 511 }],
  ["7-7", { start: 7, end: 7 }],
  [" 0-511 ", { start: 0, end: 511 }],
  ["bytes 0-511", { start: 0, end: 511 }],
  ["bytes 0-511/512", { start: 0, end: 511 }],
  ["bytes 512-1023/4096", { start: 512, end: 1023 }],
  ["Bytes 0-511/*", { start: 0, end: 511 }],
  ["bytes=0-511", { start: 0, end: 511 }],
  ["0-9007199254740991", { start: 0, end: 9007199254740991 }],
  ["5-4", "reversed"],
  ["bytes 9-0/10", "reversed"],
])("E30, M11: %j is %j", (header, expected) => {
  expect(parseContentRange(header)).toEqual(expected);
});

test.each([
  "",
  "junk",
  "0",
  "-1",
  "0-",
  "0--1",
  "+0-1",
  "a-b",
  "0x0-0x1",
  "1.5-2",
  "0-1,2-3",
  "bytes",
  "bytes */512",
  "lines 0-1",
  "0-511/",
  "0-511/511",
  "0-9007199254740992",
  `0-${"9".repeat(400)}`,
])("E30, M11: %.40j is refused", (header) => {
  const { status, entries } = refusalOf(() => parseContentRange(header));
  expect(status).toBe(400);
  expect(entries.map((entry) => entry.code)).toEqual(["BLOB_UPLOAD_INVALID"]);
  expect(String(entries[0]?.detail).length).toBeLessThanOrEqual(256);
});

const offsets = fc.maxSafeNat();

test("OCI requirement 51: two numbers are read as they are, or are reversed", () => {
  fc.assert(
    fc.property(offsets, offsets, fc.constantFrom("", "bytes ", "bytes="), (start, end, unit) => {
      const expected = start <= end ? { start, end } : "reversed";
      expect(parseContentRange(`${unit}${start}-${end}`)).toEqual(expected);
    }),
  );
});

test("any other header is a 400", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const outcome = outcomeOf(() => parseContentRange(text));
      if ("refusal" in outcome) expect(outcome.refusal.status).toBe(400);
      else expect(text).toMatch(/\d-\d/);
    }),
  );
});
