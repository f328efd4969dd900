import { describe, expect, test } from "vitest";
import { parseManifest } from "../../src/oci/manifest.ts";
import {
  dockerImageConfig,
  dockerManifest,
  dockerManifestList,
  dockerPluginConfig,
  ociImageConfig,
  ociIndex,
  ociManifest,
} from "../../src/oci/media-type.ts";
import { checkClass, classOf } from "../../src/oci/repository-class.ts";
import { bytesOf, defaultRules, descriptor, image } from "./documents.ts";
import { refusalOf } from "./refusal.ts";

function manifest(mediaType: string, configType: string) {
  return parseManifest(
    bytesOf(image({ mediaType, config: descriptor(1, configType) })),
    undefined,
    defaultRules,
  );
}

function index(mediaType: string) {
  return parseManifest(bytesOf({ schemaVersion: 2, mediaType, manifests: [] }), undefined, defaultRules);
}

const anImage = manifest(ociManifest, ociImageConfig);
const aPlugin = manifest(dockerManifest, dockerPluginConfig);

function denied(message: string) {
  return { status: 403, entries: [{ code: "DENIED", message }] };
}

describe("classOf", () => {
  test.each([
    ["A70", dockerManifest, dockerImageConfig, "image"],
    ["A71", dockerManifest, dockerPluginConfig, "plugin"],
    ["A73", ociManifest, ociImageConfig, "image"],
  ])("%s: %s with %s", (_, mediaType, configType, expected) => {
    expect(classOf(manifest(mediaType, configType))).toBe(expected);
  });

  test.each([
    [dockerManifest, ociImageConfig],
    [ociManifest, dockerImageConfig],
    [ociManifest, dockerPluginConfig],
    [ociManifest, "application/vnd.cncf.helm.config.v1+json"],
    [ociManifest, ""],
  ])("A72: %s with %j", (mediaType, configType) => {
    expect(refusalOf(() => classOf(manifest(mediaType, configType)))).toEqual(
      denied(`unknown manifest class for ${configType}`),
    );
  });

  test("A72: the message stays short", () => {
    const { entries } = refusalOf(() => classOf(manifest(ociManifest, "x".repeat(100_000))));
    expect(entries[0]?.message.length).toBeLessThan(300);
  });

  test.each([dockerManifestList, ociIndex])("A74: %s has none", (mediaType) => {
    expect(classOf(index(mediaType))).toBeUndefined();
  });
});

describe("checkClass", () => {
  test.each([
    ["A75: an allowed class", anImage, ["plugin", "image"], []],
    ["A74: an index, whatever is allowed", index(ociIndex), ["plugin"], ["plugin"]],
    ["A.5: no restriction, whatever the config", manifest(ociManifest, "a/b"), [], ["plugin"]],
    ["A76: a grant for the class", aPlugin, ["plugin"], ["image", "plugin"]],
    ["A76: a grant without class is for images", anImage, ["image"], [""]],
    ["A77: no grant for the repository", anImage, ["image"], []],
  ])("%s passes", (_, pushed, allowed, granted) => {
    expect(() => checkClass(pushed, allowed, granted)).not.toThrow();
  });

  test.each([
    ["A75", anImage, ["plugin"], ["image"], "registry does not allow image manifest"],
    ["A75", aPlugin, ["image"], [], "registry does not allow plugin manifest"],
    ["A76", anImage, ["image"], ["plugin"], "repository not authorized for image manifest"],
    ["A76", aPlugin, ["plugin"], ["", "image"], "repository not authorized for plugin manifest"],
    ["A72", manifest(ociManifest, "a/b"), ["image"], [], "unknown manifest class for a/b"],
  ])("%s: %#: %s", (_, pushed, allowed, granted, message) => {
    expect(refusalOf(() => checkClass(pushed, allowed, granted))).toEqual(denied(message));
  });
});
