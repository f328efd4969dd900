import {
  dockerForeignLayer,
  dockerImageConfig,
  dockerManifest,
  type ManifestMediaType,
  ociIndex,
  ociManifest,
} from "../../../src/oci/media-type.ts";
import { createUrlPolicy } from "../../../src/oci/urls.ts";
import type { ExpectedError, Row } from "../row.ts";
import type { World } from "../world.ts";

const nowhere = `sha256:${"0".repeat(64)}`;
const tar = "application/vnd.oci.image.layer.v1.tar";
const nonDistributable = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
const good = ["https://example.com/layer"];

interface Layer {
  readonly mediaType: string;
  readonly digest?: string;
  readonly urls?: readonly string[];
}

interface Outcome {
  readonly errors?: readonly ExpectedError[];
  readonly config?: Row["config"];
  readonly differs?: Row["differs"];
}

/** PUT of an image over the blob `config` and this layer, which is missing unless it says otherwise. */
function layer(
  rule: string,
  condition: string,
  type: ManifestMediaType,
  given: Layer,
  outcome: Outcome,
): Row {
  const { errors, config, differs } = outcome;
  return {
    rule,
    condition,
    given: (world) => world.blob("config"),
    ...(config !== undefined && { config }),
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": type },
    body: {
      schemaVersion: 2,
      mediaType: type,
      config: { mediaType: dockerImageConfig, digest: "<config>", size: 11 },
      layers: [{ digest: nowhere, size: 1, ...given }],
    },
    status: errors === undefined ? 201 : 400,
    ...(errors !== undefined && { errors }),
    ...(differs !== undefined && { differs }),
  };
}

const unknown = { code: "MANIFEST_BLOB_UNKNOWN", detail: nowhere };
const badUrl = [{ code: "MANIFEST_INVALID", detail: "invalid URL on layer" }, unknown];
const noUrl = [{ code: "MANIFEST_INVALID", detail: "missing URL on layer" }, unknown];
const was500 = { differs: { seed: "500 `UNKNOWN`, three errors", because: "M11" } };
const urlsOpen = {
  differs: { seed: "500 unless URLs are allowed by configuration", because: "OCI 75" },
};

const policed = { config: { urls: createUrlPolicy(["^https://example\\.com/"], ["secret"]) } };

async function image(world: World): Promise<void> {
  await world.image("image");
}

/** D.2, D.3, A64: what a manifest refers to. */
export const references: readonly Row[] = [
  layer(
    "D2 D3",
    "a layer that is there; its size is not compared",
    ociManifest,
    { mediaType: tar, digest: "<config>" },
    {},
  ),
  layer("D2 D3", "a layer that is missing", ociManifest, { mediaType: tar }, { errors: [unknown] }),
  {
    rule: "D3",
    condition: "a blob of another repository does not count",
    given: (world) => world.blob("config", { name: "other" }),
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": ociManifest },
    body: { schemaVersion: 2, config: { mediaType: tar, digest: "<config>", size: 1 }, layers: [] },
    status: 400,
    errors: [{ code: "MANIFEST_BLOB_UNKNOWN", detail: "<config>" }],
  },
  layer(
    "D4",
    "a foreign layer with a URL need not be there",
    dockerManifest,
    { mediaType: dockerForeignLayer, urls: good },
    urlsOpen,
  ),
  layer(
    "D4 A64",
    "a foreign layer without a URL",
    dockerManifest,
    { mediaType: dockerForeignLayer },
    {
      errors: noUrl,
      ...was500,
    },
  ),
  layer(
    "D5",
    "a non-distributable layer with a URL need not be there",
    ociManifest,
    { mediaType: nonDistributable, urls: good },
    urlsOpen,
  ),
  layer(
    "D5",
    "a non-distributable layer without a URL",
    ociManifest,
    { mediaType: nonDistributable },
    {
      errors: [unknown],
    },
  ),
  layer(
    "D5",
    "an ordinary layer with a URL must be there",
    ociManifest,
    { mediaType: tar, urls: good },
    {
      errors: [unknown],
    },
  ),
  layer(
    "D5",
    "URLs of a layer of any other type are not looked at",
    ociManifest,
    { mediaType: "text/x", digest: "<config>", urls: ["ftp://x"] },
    {},
  ),
  ...["ftp://example.com/x", "https://example.com/x#y", "nonsense", "", "//example.com/x"].map((url) =>
    layer(
      "D6 A64",
      `the URL ${JSON.stringify(url)}`,
      ociManifest,
      { mediaType: nonDistributable, urls: [...good, url] },
      {
        errors: badUrl,
        ...was500,
      },
    ),
  ),
  layer("D6 D.3", "a URL that is allowed", ociManifest, { mediaType: nonDistributable, urls: good }, policed),
  layer(
    "D6 D.3",
    "a URL that is not among the allowed",
    ociManifest,
    { mediaType: nonDistributable, urls: ["https://example.org/"] },
    {
      ...policed,
      errors: badUrl,
      ...was500,
    },
  ),
  layer(
    "D6 D.3",
    "a URL that is denied",
    ociManifest,
    { mediaType: nonDistributable, urls: [`${good[0]}/secret`] },
    {
      ...policed,
      errors: badUrl,
      ...was500,
    },
  ),
  {
    rule: "D7",
    condition: "a layer with the media type of a manifest: only the layer link counts",
    given: image,
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": ociManifest },
    body: {
      schemaVersion: 2,
      config: { mediaType: "text/x", digest: "<image config>", size: 1 },
      layers: [{ mediaType: ociManifest, digest: "<image>", size: 1 }],
    },
    status: 400,
    errors: [{ code: "MANIFEST_BLOB_UNKNOWN", detail: "<image>" }],
  },
  ...[
    ["", ["<signature>", "<sbom>"]] as const,
    ["?artifactType=application%2Fx.signature", ["<signature>"]] as const,
    ["?artifactType=other", []] as const,
  ].map(
    ([query, found]): Row => ({
      rule: "D9",
      condition: "the referrers of a subject, with and without a filter",
      given: async (world) => {
        await image(world);
        const subject = { mediaType: ociManifest, digest: world.content("image").digest, size: 1 };
        await world.index("signature", [], { more: { subject, artifactType: "application/x.signature" } });
        await world.index("sbom", [], { more: { subject } });
      },
      request: `GET /v2/app/referrers/<image>${query}`,
      status: 200,
      answer: { "Content-Type": ociIndex, "OCI-Filters-Applied": query === "" ? null : "artifactType" },
      referrers: found,
      differs: { seed: "404 as text", because: "M27, OCI 97" },
    }),
  ),
  ...[0, 1].map((first): Row => {
    const layers = [
      { mediaType: nonDistributable, digest: nowhere, size: 1, urls: good },
      { mediaType: tar, digest: nowhere, size: 1 },
    ];
    return {
      rule: "D5",
      condition: "one digest as non-distributable and as ordinary layer must be there",
      given: (world) => world.blob("config"),
      request: "PUT /v2/app/manifests/1",
      headers: { "Content-Type": ociManifest },
      body: {
        schemaVersion: 2,
        config: { mediaType: "text/x", digest: "<config>", size: 1 },
        layers: first === 0 ? layers : layers.toReversed(),
      },
      status: 400,
      errors: [unknown],
    };
  }),
  {
    rule: "D9",
    condition: "a subject whose digest is malformed",
    given: (world) => world.blob("config"),
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": ociManifest },
    body: {
      schemaVersion: 2,
      config: { mediaType: "text/x", digest: "<config>", size: 1 },
      layers: [],
      subject: { mediaType: ociManifest, digest: "x", size: 1 },
    },
    status: 400,
    errors: [{ code: "DIGEST_INVALID" }],
    differs: { seed: "201: the subject is ignored", because: "OCI 17" },
  },
];
