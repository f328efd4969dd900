import { describe, expect, test } from "vitest";
import { manifestType, storedManifestType } from "../../src/oci/manifest-type.ts";
import { dockerManifest, dockerManifestList, ociIndex, ociManifest } from "../../src/oci/media-type.ts";
import { refusalOf } from "./refusal.ts";

const config = {};

describe("manifestType", () => {
  test.each([
    ["D.1: schema2", dockerManifest, { mediaType: dockerManifest, config }, dockerManifest],
    [
      "D.1: manifest list",
      dockerManifestList,
      { mediaType: dockerManifestList, manifests: [] },
      dockerManifestList,
    ],
    ["D.1: OCI manifest", ociManifest, { mediaType: ociManifest, config }, ociManifest],
    ["D.1: OCI manifest without mediaType", ociManifest, { config, layers: [] }, ociManifest],
    ["D.1: OCI manifest with an empty one", ociManifest, { mediaType: "", config }, ociManifest],
    ["D.1: OCI manifest with null manifests", ociManifest, { config, manifests: null }, ociManifest],
    ["D.1: OCI index without mediaType", ociIndex, { manifests: [] }, ociIndex],
    ["D.1: OCI index with null config", ociIndex, { manifests: [], config: null, layers: null }, ociIndex],
    ["A52: the body's type", undefined, { mediaType: dockerManifest, config }, dockerManifest],
    ["A52: the body's type, an index", undefined, { mediaType: ociIndex, manifests: [] }, ociIndex],
    ["A52: the shape of an index", undefined, { manifests: [] }, ociIndex],
    ["A52: the shape of an image manifest", undefined, { config, layers: [] }, ociManifest],
  ])("%s", (_, contentType, body, expected) => {
    expect(manifestType(body, contentType)).toBe(expected);
  });

  const unsupported = "unsupported manifest media type and no default available: ";
  const indexFound = "expected manifest but found index";
  const imageFound = "expected index but found manifest";

  test.each([
    ["A52", undefined, {}, unsupported],
    ["A52", undefined, { layers: [] }, unsupported],
    ["A52", undefined, { mediaType: "a/b", config }, `${unsupported}a/b`],
    ["A53", "application/json", { mediaType: ociManifest, config }, `${unsupported}application/json`],
    ["D.1", ociManifest, { mediaType: 1, config }, "mediaType: a string expected"],
    ["D.1", ociManifest, { manifests: [] }, indexFound],
    ["D.1", ociManifest, { config, manifests: {} }, indexFound],
    ["M14", dockerManifest, { mediaType: dockerManifest, config, manifests: [] }, indexFound],
    ["D.1", ociIndex, { manifests: [], config }, imageFound],
    ["D.1", ociIndex, { manifests: [], layers: [] }, imageFound],
    ["M14", dockerManifestList, { mediaType: dockerManifestList, manifests: [], config }, imageFound],
    ["M14, A43", ociIndex, {}, "manifests: an array expected"],
    ["D.1", dockerManifest, { config }, `mediaType in manifest should be '${dockerManifest}' not ''`],
    [
      "D.1",
      dockerManifestList,
      { manifests: [], mediaType: ociIndex },
      `mediaType in manifest list should be '${dockerManifestList}' not '${ociIndex}'`,
    ],
    [
      "D.1",
      ociManifest,
      { config, mediaType: "x" },
      `if present, mediaType in manifest should be '${ociManifest}' not 'x'`,
    ],
    [
      "D.1",
      ociIndex,
      { manifests: [], mediaType: dockerManifestList },
      `if present, mediaType in image index should be '${ociIndex}' not '${dockerManifestList}'`,
    ],
    [
      "A55: the body's letter case counts",
      ociManifest,
      { config, mediaType: ociManifest.toUpperCase() },
      `if present, mediaType in manifest should be '${ociManifest}' not '${ociManifest.toUpperCase()}'`,
    ],
  ])("%s: refuses, sent as %s: %j", (_, contentType, body, detail) => {
    expect(refusalOf(() => manifestType(body, contentType))).toEqual({
      status: 400,
      entries: [{ code: "MANIFEST_INVALID", message: "manifest invalid", detail }],
    });
  });

  test("A53: an error does not echo a long type", () => {
    const { entries } = refusalOf(() => manifestType({ mediaType: "x".repeat(1_000_000) }, undefined));
    expect(JSON.stringify(entries).length).toBeLessThan(400);
  });
});

test.each([
  [{ mediaType: dockerManifest }, dockerManifest],
  [{ mediaType: dockerManifestList, config }, dockerManifestList],
  [{ manifests: [] }, ociIndex],
  [{ config, manifests: null, mediaType: null }, ociManifest],
  [{}, ociManifest],
  [{ mediaType: "application/vnd.docker.distribution.manifest.v1+json" }, undefined],
  [{ mediaType: 1 }, undefined],
  [{ mediaType: {} }, undefined],
])("A26, A43, C3: stored %j is %s", (body, expected) => {
  expect(storedManifestType(body)).toBe(expected);
});
