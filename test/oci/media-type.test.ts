import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  dockerForeignLayer,
  dockerManifest,
  dockerManifestList,
  isIndexType,
  isManifestType,
  isNonDistributableType,
  isUrlLayerType,
  ociIndex,
  ociManifest,
  parseContentType,
} from "../../src/oci/media-type.ts";
import { isHarmless, refusalOf } from "./refusal.ts";

describe("manifest types", () => {
  test.each([
    [ociManifest, true, false],
    [ociIndex, true, true],
    [dockerManifest, true, false],
    [dockerManifestList, true, true],
    ["application/vnd.docker.distribution.manifest.v1+prettyjws", false, false],
    ["application/json", false, false],
    [`${ociManifest} `, false, false],
    ["", false, false],
  ])("A13: %j", (text, manifest, index) => {
    expect(isManifestType(text)).toBe(manifest);
    expect(isIndexType(text)).toBe(index);
  });
});

describe("layer types", () => {
  test.each([
    [dockerForeignLayer, true, true],
    ["application/vnd.oci.image.layer.v1.tar", true, false],
    ["application/vnd.oci.image.layer.v1.tar+gzip", true, false],
    ["application/vnd.oci.image.layer.v1.tar+zstd", true, false],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar", true, true],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", true, true],
    ["application/vnd.docker.image.rootfs.diff.tar.gzip", false, false],
    ["application/vnd.oci.image.layer.v1.tarball", false, false],
    ["application/vnd.example.artifact", false, false],
  ])("D4, D5: %s", (text, urls, nonDistributable) => {
    expect(isUrlLayerType(text)).toBe(urls);
    expect(isNonDistributableType(text)).toBe(nonDistributable);
  });
});

describe("parseContentType", () => {
  test.each([
    [null, undefined],
    ["", undefined],
    ["  ", undefined],
    [ociManifest, ociManifest],
    [`${ociManifest};`, ociManifest],
    [`${ociManifest}; charset=utf-8`, ociManifest],
    [` ${ociManifest.toUpperCase()} ;broken=`, ociManifest],
    ["application/json", "application/json"],
  ])("A52, A55: %j is %j", (header, expected) => {
    expect(parseContentType(header)).toBe(expected);
  });

  test.each([";;", "json", "application/", "/json", "a/b c", "a/b, c/d", "a//b", "a/b/c", "ä/b"])(
    "A54: %j is refused",
    (header) => {
      const { status, entries } = refusalOf(() => parseContentType(header));
      expect(status).toBe(400);
      expect(entries.map((entry) => entry.code)).toEqual(["MANIFEST_INVALID"]);
    },
  );

  test("A54: any text is a media type, absent or refused with 4xx", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(isHarmless(() => parseContentType(text))).toBe(true);
      }),
    );
  });
});
