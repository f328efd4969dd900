import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJsonObject, tryParseJsonObject } from "../../src/oci/json.ts";
import { utf8 } from "./documents.ts";
import { isHarmless, refusalOf } from "./refusal.ts";

function nested(levels: number): string {
  return `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
}

describe("parseJsonObject refuses", () => {
  test.each([
    ["nothing", "", /not JSON/],
    ["D.1: a byte order mark", '\u{feff}{"a":1}', /not JSON/],
    ["D.1: trailing garbage", '{"a":1}x', /not JSON/],
    ["D.1: a second object", '{"a":1}{"a":1}', /not JSON/],
    ["an open string", '{"a', /not JSON/],
    ["a comment", "{/**/}", /not JSON/],
    ["a trailing comma", '{"a":1,}', /not JSON/],
    ["A56: an array", "[]", /object/],
    ["A56: an array of strings like keys", '["config","config"]', /object/],
    ["A56: a string", '"a"', /object/],
    ["A60: null", "null", /object/],
    ["M14: a repeated key", '{"config":1,"config":1}', /repeated key config/],
    ["M14: a repeated key far apart", '{"layers":[{"a":","}],"x":"}","layers":[]}', /repeated key layers/],
    ["M14: an escaped key", String.raw`{"mediaType":"a","media\u0054ype":"b"}`, /repeated key mediaType/],
    ["M14: other letter case", '{"MEDIATYPE":"a"}', /letter case than mediaType/],
    ["M14: the long s, which Go reads as s", '{"\u{17f}ubject":{}}', /letter case than subject/],
    ["129 levels", nested(128), /deeper than 128/],
    ["10,000 levels", nested(10_000), /deeper than 128/],
    ["10,000 levels that never close", '{"a":'.repeat(10_000), /deeper than 128/],
  ])("%s", (_, text, detail) => {
    const { status, entries } = refusalOf(() => parseJsonObject(utf8(text)));
    expect(status).toBe(400);
    expect(entries).toEqual([
      { code: "MANIFEST_INVALID", message: "manifest invalid", detail: expect.stringMatching(detail) },
    ]);
  });

  test.each([
    ["a lone continuation byte", [0x7b, 0x22, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ["an encoded surrogate", [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
  ])("bytes that are no UTF-8: %s", (_, bytes) => {
    expect(refusalOf(() => parseJsonObject(Uint8Array.from(bytes))).entries[0]?.detail).toBe("not UTF-8");
  });
});

describe("parseJsonObject reads", () => {
  test.each([
    ["D.1: white space around it", ' \r\n{"a":1}\t\n', { a: 1 }],
    ["128 levels", nested(127), JSON.parse(nested(127))],
    ["repeated keys of no significance", '{"a":1,"a":2,"A":3}', { a: 2, A: 3 }],
    [
      "significant keys further down",
      '{"config":{"config":1,"CONFIG":2}}',
      { config: { config: 1, CONFIG: 2 } },
    ],
    ["significant keys as values", '{"a":["config","config"],"b":"layers","layers":[]}', undefined],
    ["braces and quotes in strings", String.raw`{"a":"{\"config\":1,\\","config":"}"}`, undefined],
  ])("%s", (_, text, expected) => {
    expect(parseJsonObject(utf8(text))).toEqual(expected ?? JSON.parse(text));
  });

  test("what JSON.stringify wrote", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 20 })), (value) => {
        const text = JSON.stringify(value);
        fc.pre(
          !/schemaversion|mediatype|config|layers|manifests|subject|artifacttype|annotations/i.test(text),
        );
        expect(parseJsonObject(utf8(text))).toEqual(JSON.parse(text));
      }),
    );
  });
});

test("M14: a significant key is refused wherever it is repeated at the top", () => {
  const entry = fc.tuple(fc.string(), fc.jsonValue()).map(([key, value]) => {
    return `${JSON.stringify(`x${key}`)}:${JSON.stringify(value)}`;
  });
  const entries = fc.array(entry, { maxLength: 4 });
  const key = fc.constantFrom("schemaVersion", "mediaType", "config", "layers", "manifests", "annotations");
  fc.assert(
    fc.property(entries, entries, entries, key, (before, between, after, name) => {
      const twice = `"${name}":1`;
      const text = `{${[...before, twice, ...between, twice, ...after].join(",")}}`;
      expect(refusalOf(() => parseJsonObject(utf8(text))).entries[0]?.detail).toBe(`repeated key ${name}`);
    }),
  );
});

test("any bytes are an object or a 4xx", () => {
  const jsonLike = fc.stringMatching(/^[{}[\]",:\\a1 ]*$/).map(utf8);
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), jsonLike), (bytes) => {
      expect(isHarmless(() => parseJsonObject(bytes))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe("tryParseJsonObject", () => {
  test.each([
    ['{"config":1,"config":2}', { config: 2 }],
    [nested(10_000), JSON.parse(nested(10_000))],
    ["[]", undefined],
    ["null", undefined],
    ["{", undefined],
    ["", undefined],
  ])("%.40s", (text, expected) => {
    expect(JSON.stringify(tryParseJsonObject(utf8(text)))).toBe(JSON.stringify(expected));
  });

  test("D.1: invalid UTF-8, as distribution does", () => {
    const bytes = Uint8Array.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0x80, 0x22, 0x7d]);
    expect(tryParseJsonObject(bytes)).toEqual({ a: "\u{fffd}" });
  });
});
