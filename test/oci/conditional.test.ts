import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entityTag, ifMatch, ifNoneMatch, ifRange } from "../../src/oci/conditional.ts";
import { digest } from "./documents.ts";

const etag = entityTag(digest(1));
const other = entityTag(digest(2));

test("A40: the entity tag is the digest in double quotes", () => {
  expect(etag).toBe(`"${digest(1)}"`);
});

// The same headers for both conditions: a weak tag matches in the weak comparison alone.
describe.each([
  ["equal", etag, true, true],
  ["another", other, false, false],
  ["a list", `${other}, ${etag}`, true, true],
  ["a list without spaces", `${other},${etag},"x"`, true, true],
  ["empty elements", `, ,${etag},`, true, true],
  ["a tag with a comma before it", `"a,b", ${etag}`, true, true],
  ["the digest within another tag", `"a ${digest(1)}"`, false, false],
  ["weak", `W/${etag}`, true, false],
  ["weak in a list", `W/${other}, W/${etag}`, true, false],
  ["A22: bare", digest(1), true, true],
  ["A22: bare in a list", `${digest(2)}, ${digest(1)}`, true, true],
  ["everything", " * ", true, true],
  ["everything is no member of a list", `*, ${other}`, false, false],
  ["letter case counts", etag.toUpperCase(), false, false],
  ["an open quote", `"${digest(1)}`, true, true],
  ["empty", "", false, false],
])("%s: %j", (_, header, weakly, strongly) => {
  test("M10: If-None-Match", () => {
    expect(ifNoneMatch(header, etag)).toBe(weakly);
  });

  test("RFC 9110, 13.1.1: If-Match", () => {
    expect(ifMatch(header, etag)).toBe(strongly);
  });

  test("M10: nothing matches what does not exist", () => {
    expect(ifNoneMatch(header, undefined)).toBe(false);
    expect(ifMatch(header, undefined)).toBe(false);
  });
});

test("absent headers: If-None-Match does not match, If-Match holds", () => {
  expect(ifNoneMatch(null, etag)).toBe(false);
  expect(ifMatch(null, etag)).toBe(true);
  expect(ifMatch(null, undefined)).toBe(true);
});

test.each([
  [null, true],
  [etag, true],
  [` ${etag} `, true],
  [other, false],
  [`W/${etag}`, false],
  [`${etag}, ${etag}`, false],
  ["Wed, 21 Oct 2026 07:28:00 GMT", false],
])("E5: If-Range %j serves a range: %s", (header, expected) => {
  expect(ifRange(header, etag)).toBe(expected);
});

test("a tag is found in any list that contains it", () => {
  const opaque = fc.stringMatching(/^[!#-~]*$/).map((text) => `"${text}"`);
  fc.assert(
    fc.property(fc.array(opaque), fc.array(opaque), fc.boolean(), (before, after, weak) => {
      const header = [...before, weak ? `W/${etag}` : etag, ...after].join(", ");
      expect(ifNoneMatch(header, etag)).toBe(true);
      expect(ifMatch(header, etag)).toBe(!weak || before.includes(etag) || after.includes(etag));
    }),
  );
});

test("any header is read", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (header) => {
      expect(ifNoneMatch(header, etag)).toBe(header.trim() === "*");
      expect(ifMatch(header, etag)).toBe(header.trim() === "*");
    }),
  );
});
