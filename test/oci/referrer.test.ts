import { expect, test } from "vitest";
import { parseManifest } from "../../src/oci/manifest.ts";
import { ociImageConfig, ociIndex, ociManifest } from "../../src/oci/media-type.ts";
import { referrerDescriptor } from "../../src/oci/referrer.ts";
import { bytesOf, defaultRules, descriptor, digest, image } from "./documents.ts";

const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [] };

function referrerOf(document: unknown) {
  return JSON.parse(
    JSON.stringify(
      referrerDescriptor(parseManifest(bytesOf(document), undefined, defaultRules), digest(9), 123),
    ),
  );
}

test.each([
  [
    "OCI requirement 102: the type of an image manifest",
    image({ artifactType: "application/vnd.example" }),
    { mediaType: ociManifest, artifactType: "application/vnd.example" },
  ],
  [
    "OCI requirement 103: else that of its config",
    image(),
    { mediaType: ociManifest, artifactType: ociImageConfig },
  ],
  [
    "OCI requirement 103: also instead of an empty one",
    image({ artifactType: "" }),
    { mediaType: ociManifest, artifactType: ociImageConfig },
  ],
  [
    "OCI requirement 103: a config without a type",
    image({ config: descriptor(1, "") }),
    { mediaType: ociManifest },
  ],
  [
    "OCI requirement 102: the type of an index",
    { ...index, artifactType: "application/vnd.example" },
    { mediaType: ociIndex, artifactType: "application/vnd.example" },
  ],
  ["OCI requirement 104: an index without one", index, { mediaType: ociIndex }],
  [
    "OCI requirement 105: annotations",
    { ...index, annotations: { a: "b", "": "" } },
    { mediaType: ociIndex, annotations: { a: "b", "": "" } },
  ],
])("%s", (_, document, expected) => {
  expect(referrerOf(document)).toEqual({ digest: digest(9), size: 123, ...expected });
});
