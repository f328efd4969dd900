import { describe, expect, test } from "vitest";
import { parseAccept } from "../../src/oci/accept.ts";
import { entityTag, ifNoneMatch } from "../../src/oci/conditional.ts";
import { parseContentRange } from "../../src/oci/content-range.ts";
import { manifestOf, maxManifestSize, parseManifest } from "../../src/oci/manifest.ts";
import { ociManifest, parseContentType } from "../../src/oci/media-type.ts";
import { parseRange } from "../../src/oci/range.ts";
import { bytesOf, defaultRules, descriptor, digest, image, utf8 } from "./documents.ts";
import { isHarmless } from "./refusal.ts";

// Runs in Node, since the clock of the Workers runtime stands still while code runs. Quadratic work on 4 MiB
// would take hours: the bound only has to be far above what linear work takes on a busy machine (0.3 s).
const bound = 5_000;

function millisecondsOf(action: () => unknown): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

function filled(start: string, unit: string, end = ""): Uint8Array {
  const count = Math.floor((maxManifestSize - start.length - end.length) / unit.length);
  return utf8(start + unit.repeat(count) + end);
}

const manyLayers = Array.from({ length: 20_000 }, (_, n) => descriptor(n));

describe("manifests of up to 4 MiB", () => {
  test.each([
    ["3.9 MB of annotations", bytesOf(image({ annotations: { a: "x".repeat(3_900_000) } }))],
    [
      "390 annotations of 10,000 bytes",
      bytesOf(
        image({
          annotations: Object.fromEntries(manyLayers.slice(0, 390).map((_, n) => [n, "x".repeat(1e4)])),
        }),
      ),
    ],
    ["20,000 references", bytesOf(image({ layers: manyLayers }))],
    ["20,000 times the same reference", bytesOf(image({ layers: manyLayers.map(() => descriptor(2)) }))],
    ["20,000 faulty digests", bytesOf(image({ layers: manyLayers.map((_, n) => ({ digest: `x${n}` })) }))],
    ["nesting that never closes", filled("", "[")],
    ["nesting that closes", utf8(`{"a":${"[".repeat(2_000_000)}${"]".repeat(2_000_000)}}`)],
    ["the same key again and again", filled("{", '"a":1,', '"a":1}')],
    ["the same significant key again and again", filled("{", '"config":1,', '"config":1}')],
    ["quotes", filled("", '"')],
    ["backslashes", filled('{"a":"', "\\\\", '"}')],
    ["an open string of escaped quotes", filled('{"a":"', '\\"')],
    ["white space", filled("{", " ", "}")],
    ["commas", filled("{", ",", "}")],
    ["one long key", filled('{"', "x", '":1}')],
    ["a long media type", bytesOf({ ...image(), mediaType: "x".repeat(4_000_000) })],
    ["a long digest", bytesOf(image({ layers: [{ digest: "x".repeat(4_000_000) }] }))],
    [
      "a long URL",
      bytesOf(image({ layers: [{ ...descriptor(2), urls: [`https://${"a.".repeat(2_000_000)}`] }] })),
    ],
    ["no text", new Uint8Array(maxManifestSize).fill(0x80)],
  ])("%s", (_, bytes) => {
    expect(bytes.length).toBeLessThanOrEqual(maxManifestSize);
    const took = millisecondsOf(() => {
      expect(isHarmless(() => parseManifest(bytes, ociManifest, defaultRules))).toBe(true);
      expect(() => manifestOf(bytes)).not.toThrow();
    });
    expect(took).toBeLessThan(bound);
  });
});

describe("headers of 1 MB", () => {
  const etag = entityTag(digest(1));

  test.each([
    ",",
    " ",
    ";",
    '"',
    '",',
    "a/b,",
    "a/b;q=",
    'a/b;x=",',
    "*/*;",
    "W/",
    'W/"',
    "1-1,",
    "-",
    "0",
    "\\",
  ])("%j again and again", (unit) => {
    const header = unit.repeat(Math.floor(1_000_000 / unit.length));
    const took = millisecondsOf(() => {
      parseAccept(header);
      parseAccept(`a/b;x=${header}`);
      ifNoneMatch(header, etag);
      parseRange(`bytes=${header}`, 2048);
      expect(isHarmless(() => parseContentType(header))).toBe(true);
      expect(isHarmless(() => parseContentRange(header))).toBe(true);
    });
    expect(took).toBeLessThan(bound);
  });
});
