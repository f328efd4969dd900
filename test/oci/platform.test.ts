import { expect, test } from "vitest";
import { parseManifest } from "../../src/oci/manifest.ts";
import { dockerManifestList } from "../../src/oci/media-type.ts";
import { linuxAmd64Child } from "../../src/oci/platform.ts";
import { bytesOf, defaultRules, descriptor, digest, image } from "./documents.ts";

function childOf(platforms: readonly unknown[]) {
  const manifests = platforms.map((platform, index) => ({ ...descriptor(index), platform }));
  const list = { schemaVersion: 2, mediaType: dockerManifestList, manifests };
  return linuxAmd64Child(parseManifest(bytesOf(list), undefined, defaultRules))?.digest;
}

const linuxAmd64 = { architecture: "amd64", os: "linux" };

test.each([
  ["A33: the first of two", [{ architecture: "arm64", os: "linux" }, linuxAmd64, linuxAmd64], digest(1)],
  ["A33: whatever its variant", [{ ...linuxAmd64, variant: "v3" }], digest(0)],
  ["A33: another system", [{ ...linuxAmd64, os: "windows" }], undefined],
  ["A33: exactly", [{ architecture: "AMD64", os: "Linux" }], undefined],
  ["A34: no platforms", [undefined, null, {}], undefined],
  ["A34: no children", [], undefined],
])("%s", (_, platforms, expected) => {
  expect(childOf(platforms)).toBe(expected);
});

test("an image manifest has no children", () => {
  expect(linuxAmd64Child(parseManifest(bytesOf(image()), undefined, defaultRules))).toBeUndefined();
});
