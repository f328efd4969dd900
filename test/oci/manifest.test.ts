import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { manifestOf, parseManifest } from "../../src/oci/manifest.ts";
import {
  dockerImageConfig,
  dockerManifest,
  dockerManifestList,
  ociImageConfig,
  ociIndex,
  ociManifest,
} from "../../src/oci/media-type.ts";
import { bytesOf, defaultRules, descriptor, digest, image, utf8 } from "./documents.ts";
import { isHarmless, outcomeOf, refusalOf } from "./refusal.ts";

function parse(document: unknown, contentType?: string) {
  return parseManifest(bytesOf(document), contentType, defaultRules);
}

const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [descriptor(1, ociManifest)] };
const blob = (n: number) => ({ digest: digest(n), kind: "blob", required: true });

describe("parseManifest reads", () => {
  test("an OCI image manifest", () => {
    const extras = { annotations: { a: "b" }, artifactType: "a/b", subject: descriptor(9, ociManifest) };
    expect(parse(image(extras), ociManifest)).toEqual({
      kind: "image",
      mediaType: ociManifest,
      config: descriptor(1, ociImageConfig),
      layers: [descriptor(2), descriptor(3)],
      ...extras,
      references: [blob(1), blob(2), blob(3)],
    });
  });

  test("an OCI index", () => {
    expect(parse({ ...index, subject: descriptor(9, ociIndex) }, ociIndex)).toEqual({
      kind: "index",
      mediaType: ociIndex,
      manifests: [descriptor(1, ociManifest)],
      subject: descriptor(9, ociIndex),
      references: [{ digest: digest(1), kind: "manifest", required: true }],
    });
  });

  test.each([
    ["OCI requirement 76: no layers", image({ layers: [] })],
    ["D.1: layers absent", image({ layers: undefined })],
    ["OCI requirement 76: an empty index", { ...index, manifests: [] }],
    [
      "OCI requirement 77: unknown types",
      image({ config: descriptor(1, "x"), layers: [descriptor(2, "y")] }),
    ],
    ["OCI requirement 77: extra fields", image({ "org.example.custom": { a: [1] }, custom: null })],
    ["OCI requirement 78: an index of indexes", { ...index, manifests: [descriptor(1, ociIndex)] }],
    ["OCI requirement 78: data", image({ config: { ...descriptor(1), data: "e30=" } })],
    ["Docker schema2", image({ mediaType: dockerManifest, config: descriptor(1, dockerImageConfig) })],
    ["Docker manifest list", { ...index, mediaType: dockerManifestList }],
    ["D.1: null fields", image({ annotations: null, subject: null, artifactType: null, manifests: null })],
    ["D10: sha512", image({ layers: [{ ...descriptor(2), digest: `sha512:${"a".repeat(128)}` }] })],
  ])("%s", (_, document) => {
    expect(() => parse(document)).not.toThrow();
  });
});

describe("parseManifest refuses", () => {
  test.each([
    ["A60: {}", {}, ociManifest, "unrecognized manifest schema version 0"],
    ["A60: version 1", image({ schemaVersion: 1 }), undefined, "unrecognized manifest schema version 1"],
    [
      "A60: version 1 of an index",
      { ...index, schemaVersion: 1 },
      undefined,
      "unrecognized manifest list schema version 1, expected 2",
    ],
    [
      "A56: version as text",
      image({ schemaVersion: "2" }),
      undefined,
      "schemaVersion: an integer from 0 to 9007199254740991 expected",
    ],
    ["A56: config", image({ config: "x" }), undefined, "config: a descriptor expected"],
    ["A56: layers", image({ layers: {} }), undefined, "layers: an array expected"],
    ["A56: a layer", image({ layers: [descriptor(2), null] }), undefined, "layers[1]: a descriptor expected"],
    [
      "A56: a field of a layer",
      image({ layers: [{ ...descriptor(2), size: "1" }] }),
      undefined,
      "layers[0].size: an integer from 0 to 9007199254740991 expected",
    ],
    ["A27: manifests", { ...index, manifests: "x" }, undefined, "manifests: an array expected"],
    [
      "A27: annotations",
      { ...index, annotations: { a: 1 } },
      undefined,
      "annotations: an object of strings expected",
    ],
    ["A56: subject", image({ subject: [] }), undefined, "subject: a descriptor expected"],
    ["A56: artifactType", image({ artifactType: {} }), undefined, "artifactType: a string expected"],
  ])("%s", (_, document, contentType, detail) => {
    expect(refusalOf(() => parse(document, contentType))).toEqual({
      status: 400,
      entries: [{ code: "MANIFEST_INVALID", message: "manifest invalid", detail }],
    });
  });

  test.each([
    ["D10: no config", image({ config: undefined }), ["DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"]],
    ["A62: a child", { ...index, manifests: [{ digest: "x" }] }, ["DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"]],
    ["OCI requirement 110: subject", image({ subject: { digest: "x" } }), ["DIGEST_INVALID"]],
  ])("%s", (_, document, codes) => {
    const { status, entries } = refusalOf(() => parse(document));
    expect(status).toBe(400);
    expect(entries.map((entry) => entry.code)).toEqual(codes);
  });
});

describe("manifestOf", () => {
  test.each([
    ["an image", image({ annotations: { a: "b" }, subject: descriptor(9) })],
    ["an index", { ...index, artifactType: "a/b" }],
    ["a Docker manifest", image({ mediaType: dockerManifest })],
  ])("gives what was parsed: %s", (_, document) => {
    expect(manifestOf(bytesOf(document))).toEqual(parse(document));
  });

  test.each([
    ["A26: not JSON", utf8("{")],
    ["A26: nothing", utf8("")],
    ["A26: an array", bytesOf([])],
    ["C2: another schema version", bytesOf(image({ schemaVersion: 1 }))],
    ["C2: schema version as text", bytesOf(image({ schemaVersion: "2" }))],
    ["C2: another type", bytesOf(image({ mediaType: "a/b" }))],
  ])("is undefined: %s", (_, bytes) => {
    expect(manifestOf(bytes)).toBeUndefined();
  });

  test("A27, M15: faulty fields count as absent, whatever has a digest stays", () => {
    const stored = image({
      config: "x",
      layers: [{ digest: digest(2), size: -1 }, { digest: "x" }, 1],
      subject: { digest: "x" },
      annotations: { a: 1 },
      artifactType: 1,
    });
    expect(manifestOf(bytesOf(stored))).toEqual({
      kind: "image",
      mediaType: ociManifest,
      layers: [{ mediaType: "", digest: digest(2), size: 0 }],
      references: [blob(2)],
    });
  });

  test("A27: manifests that are no array", () => {
    expect(manifestOf(bytesOf({ schemaVersion: 2, manifests: "x" }))).toEqual({
      kind: "index",
      mediaType: ociIndex,
      manifests: [],
      references: [],
    });
  });
});

// Documents that are nearly manifests: each field right, absent, or any JSON value.
const field = <T>(right: T) => fc.option(fc.oneof(fc.constant(right), fc.jsonValue()), { nil: undefined });
const nearDescriptor = fc.record({
  mediaType: field("a/b"),
  digest: field(digest(1)),
  size: field(1),
  urls: field(["https://example.com"]),
  annotations: field({ a: "b" }),
  platform: field({ os: "linux" }),
});
const nearManifest = fc.record({
  schemaVersion: field(2),
  mediaType: fc.constantFrom(undefined, ociManifest, ociIndex, dockerManifest, dockerManifestList),
  config: fc.option(nearDescriptor, { nil: undefined }),
  layers: fc.option(fc.array(nearDescriptor, { maxLength: 3 }), { nil: undefined }),
  manifests: fc.option(fc.array(nearDescriptor, { maxLength: 3 }), { nil: undefined }),
  subject: fc.option(nearDescriptor, { nil: undefined }),
  annotations: field({ a: "b" }),
  artifactType: field("a/b"),
});

test("M11: any document is a manifest or a 4xx, and what is accepted can be read again", () => {
  fc.assert(
    fc.property(fc.oneof(nearManifest, fc.jsonValue()), (document) => {
      const bytes = bytesOf(document);
      const outcome = outcomeOf(() => parseManifest(bytes, undefined, defaultRules));
      if ("refusal" in outcome) expect(outcome.refusal.status).toBe(400);
      else expect(outcome.value).toEqual(manifestOf(bytes));
    }),
    { numRuns: 1000 },
  );
});

test("M11: any bytes are a manifest or a 4xx", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(isHarmless(() => parseManifest(bytes, ociManifest, defaultRules))).toBe(true);
      expect(() => manifestOf(bytes)).not.toThrow();
    }),
  );
});

test("one changed byte of a manifest never does more than refuse it", () => {
  const bytes = bytesOf(image({ annotations: { a: "b" }, subject: descriptor(9) }));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = Uint8Array.from(bytes);
      changed[at] = value;
      expect(isHarmless(() => parseManifest(changed, ociManifest, defaultRules))).toBe(true);
      expect(() => manifestOf(changed)).not.toThrow();
    }),
    { numRuns: 500 },
  );
});
