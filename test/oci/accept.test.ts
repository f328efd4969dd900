import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accepts, names, parseAccept } from "../../src/oci/accept.ts";
import { dockerManifest, dockerManifestList, ociIndex, ociManifest } from "../../src/oci/media-type.ts";

describe("accepts", () => {
  test.each([
    ["M8: absent", null, true],
    ["M8: empty", "", true],
    ["M8: everything", "*/*", true],
    ["M8: everything of the type", "application/*", true],
    ["A10: its name", ociManifest, true],
    ["A10: letter case", ociManifest.toUpperCase(), true],
    ["A10: one of several lines", `${ociIndex}, ${ociManifest}`, true],
    ["A10: parameters", `${ociManifest};charset=utf-8;q=0.1`, true],
    ["A10: a quoted comma", `text/html;title="a, b", ${ociManifest}`, true],
    ["A10: a type inside quotes", `text/html;title=", ${ociManifest}, "`, false],
    ["A10: unparsable items beside it", `, ;;, json, ${ociManifest}`, true],
    ["A10: unparsable items alone", "json, *, /", true],
    ["A28: another type", ociIndex, false],
    ["A28: another wildcard", "text/*", false],
    ["A28: containerd's list ends in a wildcard", `${dockerManifest}, */*`, true],
    ["M8: weight 0", `${ociManifest};q=0`, false],
    ["M8: weight 0 in other spelling", `${ociManifest} ; Q = 0.000`, false],
    ["RFC 9110, 12.5.1: the name outweighs wildcards", `${ociManifest};q=0, application/*, */*`, false],
    ["RFC 9110, 12.5.1: the narrower wildcard wins", "application/*;q=0, */*", false],
    ["RFC 9110, 12.5.1: only others are excluded", "*/*;q=0, application/*;q=0.1", true],
    ["RFC 9110, 12.5.1: variants differ in parameters", `${ociManifest};v=2;q=0, ${ociManifest};v=1`, true],
    ["a weight that is no number", `${ociManifest};q=high`, true],
  ])("%s", (_, header, expected) => {
    expect(accepts(parseAccept(header), ociManifest)).toBe(expected);
  });

  test("RFC 9110, 12.5.1: the order of the ranges does not matter", () => {
    const range = fc.tuple(
      fc.constantFrom("*/*", "application/*", ociManifest, ociIndex, "text/html", "junk"),
      fc.constantFrom("", ";q=0", ";q=0.5", ";level=1"),
    );
    fc.assert(
      fc.property(fc.array(range), fc.constantFrom(ociManifest, ociIndex), (ranges, mediaType) => {
        const items = ranges.map(([type, weight]) => `${type}${weight}`);
        const forwards = accepts(parseAccept(items.join(", ")), mediaType);
        const backwards = accepts(parseAccept(items.toReversed().join(",")), mediaType);
        expect(forwards).toBe(backwards);
      }),
    );
  });

  test("any header is read", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (header) => {
        expect(accepts(parseAccept(`${header}"`), ociManifest)).toBeTypeOf("boolean");
      }),
    );
  });
});

describe("names", () => {
  test.each([
    ["M9: absent", null, false],
    ["M9: wildcards", "*/*, application/*", false],
    ["M9: its name", `${dockerManifest}, ${dockerManifestList};q=0.1`, true],
    ["M9: weight 0", `${dockerManifestList};q=0, */*`, false],
    ["M9: another name", dockerManifest, false],
  ])("%s", (_, header, expected) => {
    expect(names(parseAccept(header), dockerManifestList)).toBe(expected);
  });
});
