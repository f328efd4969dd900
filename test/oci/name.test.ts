import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRepositoryName, tryParseRepositoryName, tryParseTag } from "../../src/oci/name.ts";
import { refusalOf } from "./refusal.ts";

describe("repository names", () => {
  test.each([
    "app",
    "team/app",
    "a/b/c/d",
    "a.b",
    "a_b",
    "a__b",
    "a-b",
    "a----b",
    "0/1",
    "manifests",
    "team/blobs",
    "tags",
    "a".repeat(255),
  ])("OCI requirement 11: %.20s", (text) => {
    expect(parseRepositoryName(text)).toBe(text);
  });

  test.each([
    "",
    "App",
    "a//b",
    "/a",
    "a/",
    "-a",
    "a-",
    ".a",
    "a..b",
    "a___b",
    "a.-b",
    "..",
    "a/../b",
    "a/./b",
    "a b",
    "a\n",
    "a\0",
    "a%2fb",
    "a\\b",
    "host:5000/a",
    "_a",
    "\u{e4}",
    "\u{212a}",
    "a".repeat(256),
  ])("M20: refuses %.20j", (text) => {
    expect(tryParseRepositoryName(text)).toBeUndefined();
    const { status, entries } = refusalOf(() => parseRepositoryName(text));
    expect(status).toBe(400);
    expect(entries.map((entry) => entry.code)).toEqual(["NAME_INVALID"]);
  });

  test("does not echo a long name", () => {
    const { entries } = refusalOf(() => parseRepositoryName("A".repeat(1_000_000)));
    expect(JSON.stringify(entries).length).toBeLessThan(500);
  });

  test("joined names are names", () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}$/);
    fc.assert(
      fc.property(fc.array(component, { minLength: 1, maxLength: 5 }), (components) => {
        const text = components.join("/");
        expect(tryParseRepositoryName(text)).toBe(text);
      }),
    );
  });

  test("of any text, no name has an empty or dotted component or leaves its alphabet", () => {
    const near = fc.stringMatching(/^[a-b/._-]{0,8}$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
        const name = tryParseRepositoryName(text);
        if (name === undefined) return;
        expect(name).toMatch(/^[a-z0-9/._-]+$/);
        for (const component of name.split("/")) expect(component).toMatch(/^[a-z0-9](?:.*[a-z0-9])?$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("tags", () => {
  test.each(["latest", "1", "_", "A.b-c_d", "sha256-abc", "a..b", "a".repeat(128)])(
    "OCI requirement 14: %.20s",
    (text) => {
      expect(tryParseTag(text)).toBe(text);
    },
  );

  test.each([
    "",
    ".INVALID_MANIFEST_NAME",
    "-a",
    "a:b",
    "a/b",
    "a+b",
    "a b",
    "a\n",
    "\u{e4}",
    "a".repeat(129),
  ])("OCI requirement 14: refuses %.20j", (text) => {
    expect(tryParseTag(text)).toBeUndefined();
  });
});
