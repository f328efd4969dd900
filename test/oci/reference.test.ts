import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dockerForeignLayer, ociIndex, ociManifest } from "../../src/oci/media-type.ts";
import {
  checkCandidates,
  imageCandidates,
  indexCandidates,
  type Reference,
  referencesOf,
} from "../../src/oci/reference.ts";
import { createUrlPolicy } from "../../src/oci/urls.ts";
import { defaultRules, descriptor, digest } from "./documents.ts";
import { refusalOf } from "./refusal.ts";

const nonDistributable = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
const urls = ["https://example.com/layer"];

function blob(n: number, required = true): Reference {
  return { digest: digest(n), kind: "blob", required };
}

function manifest(n: number): Reference {
  return { digest: digest(n), kind: "manifest", required: true };
}

describe("references of an image manifest", () => {
  test.each([
    ["D2: config, then layers", [descriptor(3), descriptor(2)], [blob(1), blob(3), blob(2)]],
    ["D2: each once", [descriptor(3), descriptor(1), descriptor(3)], [blob(1), blob(3)]],
    ["OCI requirement 76: no layers", [], [blob(1)]],
    ["D4: a foreign layer", [{ ...descriptor(2, dockerForeignLayer), urls }], [blob(1), blob(2, false)]],
    [
      "D5: non-distributable with URLs",
      [{ ...descriptor(2, nonDistributable), urls }],
      [blob(1), blob(2, false)],
    ],
    ["D5: non-distributable without", [{ ...descriptor(2, nonDistributable), urls: [] }], [blob(1), blob(2)]],
    ["D5: distributable with URLs", [{ ...descriptor(2), urls }], [blob(1), blob(2)]],
    [
      "D5: both kinds of the same layer",
      [{ ...descriptor(2, nonDistributable), urls }, descriptor(2)],
      [blob(1), blob(2)],
    ],
    [
      "D5: in the other order",
      [descriptor(2), { ...descriptor(2, nonDistributable), urls }],
      [blob(1), blob(2)],
    ],
    ["D7: a manifest type", [descriptor(2, ociManifest)], [blob(1), blob(2)]],
  ])("%s", (_, layers, expected) => {
    expect(referencesOf(imageCandidates(descriptor(1), layers))).toEqual(expected);
  });
});

describe("references of an index", () => {
  test.each([
    ["D8: manifests", [descriptor(2, ociManifest), descriptor(1, ociIndex)], [manifest(2), manifest(1)]],
    ["D8: no media type", [descriptor(1, "")], [manifest(1)]],
    ["D8: layers, as BuildKit keeps its cache", [descriptor(1)], [blob(1)]],
    ["D8: each once", [descriptor(1, ociManifest), descriptor(1, ociManifest)], [manifest(1)]],
    ["D8: as manifest and as blob", [descriptor(1, ociManifest), descriptor(1)], [manifest(1), blob(1)]],
    ["OCI requirement 76: none", [], []],
  ])("%s", (_, children, expected) => {
    expect(referencesOf(indexCandidates(children))).toEqual(expected);
  });
});

test("faulty digests are no references", () => {
  const faulty = { ...descriptor(2), digest: "sha256:zz" };
  expect(referencesOf(imageCandidates(faulty, [faulty, descriptor(3)]))).toEqual([blob(3)]);
});

describe("checkCandidates", () => {
  const invalidDigest = { code: "DIGEST_INVALID", message: "invalid digest in manifest" };
  const unknown = (detail: string) => ({
    code: "MANIFEST_BLOB_UNKNOWN",
    message: "blob unknown to registry",
    detail,
  });
  const badUrl = (detail: string) => ({ code: "MANIFEST_INVALID", message: "manifest invalid", detail });

  test.each([
    ["A62: no digest", "nodigest"],
    ["A62, D10: empty", ""],
    ["A63: too short", "sha256:zz"],
    ["A63: upper case", `sha256:${"A".repeat(64)}`],
    ["A63: sha384", `sha384:${"a".repeat(96)}`],
  ])("%s", (_, text) => {
    const candidates = imageCandidates(descriptor(1), [{ ...descriptor(2), digest: text }]);
    expect(refusalOf(() => checkCandidates(candidates, defaultRules))).toEqual({
      status: 400,
      entries: [invalidDigest, unknown(text)],
    });
  });

  test("A61: one answer for all faults, in order", () => {
    const candidates = imageCandidates({ ...descriptor(1), digest: "b" }, [
      descriptor(2),
      descriptor(3, dockerForeignLayer),
      { ...descriptor(2), digest: "a" },
      { ...descriptor(2), digest: "b" },
    ]);
    expect(refusalOf(() => checkCandidates(candidates, defaultRules)).entries).toEqual([
      invalidDigest,
      unknown("b"),
      badUrl("missing URL on layer"),
      unknown(digest(3)),
      invalidDigest,
      unknown("a"),
    ]);
  });

  test("A62: a long digest is not echoed", () => {
    const candidates = indexCandidates([{ ...descriptor(1), digest: "x".repeat(1_000_000) }]);
    const { entries } = refusalOf(() => checkCandidates(candidates, defaultRules));
    expect(JSON.stringify(entries).length).toBeLessThan(500);
  });

  const rules = { ...defaultRules, urls: createUrlPolicy([], ["denied"]) };

  test.each([
    ["D4: foreign layer", { ...descriptor(2, dockerForeignLayer), urls }],
    ["D5: without URLs", descriptor(2, nonDistributable)],
    ["D5: with an allowed one", { ...descriptor(2, nonDistributable), urls }],
    ["D5: URLs of other types are not looked at", { ...descriptor(2, "a/b"), urls: ["ftp://denied"] }],
  ])("%s passes", (_, layer) => {
    expect(() => checkCandidates(imageCandidates(descriptor(1), [layer]), rules)).not.toThrow();
  });

  test.each([
    ["A64, D4: no URL", { ...descriptor(2, dockerForeignLayer), urls: [] }, "missing URL on layer"],
    ["A64, D6: scheme", { ...descriptor(2, dockerForeignLayer), urls: ["ftp://a/"] }, "invalid URL on layer"],
    ["A64, D6: denied", { ...descriptor(2), urls: ["https://denied/"] }, "invalid URL on layer"],
    [
      "A64, D4: one of two",
      { ...descriptor(2, nonDistributable), urls: [...urls, "x"] },
      "invalid URL on layer",
    ],
  ])("%s", (_, layer, detail) => {
    expect(refusalOf(() => checkCandidates(imageCandidates(descriptor(1), [layer]), rules))).toEqual({
      status: 400,
      entries: [badUrl(detail), unknown(digest(2))],
    });
  });

  test("MAX_REFERENCES counts different references", () => {
    const layers = Array.from({ length: 799 }, (_, n) => descriptor(n + 2));
    expect(() => checkCandidates(imageCandidates(descriptor(1), layers), defaultRules)).not.toThrow();
    expect(() =>
      checkCandidates(imageCandidates(descriptor(1), [...layers, ...layers]), defaultRules),
    ).not.toThrow();
    const { status, entries } = refusalOf(() =>
      checkCandidates(imageCandidates(descriptor(801), [...layers, descriptor(802)]), defaultRules),
    );
    expect(status).toBe(400);
    expect(entries).toEqual([badUrl("801 references, at most 800 allowed")]);
  });
});

test("references are the different digests in order of appearance", () => {
  fc.assert(
    fc.property(fc.nat(9), fc.array(fc.nat(9)), (config, layers) => {
      const candidates = imageCandidates(
        descriptor(config),
        layers.map((n) => descriptor(n)),
      );
      const expected = [...new Set([config, ...layers])].map((n) => blob(n));
      expect(referencesOf(candidates)).toEqual(expected);
    }),
  );
});
