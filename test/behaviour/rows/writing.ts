import { maxManifestSize } from "../../../src/oci/manifest.ts";
import { dockerManifest, ociIndex, ociManifest } from "../../../src/oci/media-type.ts";
import { origin } from "../../support/registry.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const wrong = `sha256:${"0".repeat(64)}`;
const asManifest = { "Content-Type": ociManifest };
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: "<config>", size: 11 };
/** The smallest image, over the blob `config`. */
const image = { schemaVersion: 2, mediaType: ociManifest, config, layers: [] };
const undeclared = { schemaVersion: 2, config, layers: [] };
const withConfig = (world: World) => world.blob("config");
const request = "PUT /v2/app/manifests/1";

/** An empty index of exactly `size` bytes. */
function indexOfSize(size: number): string {
  const index = (padding: string) =>
    JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [], annotations: { padding } });
  return index("x".repeat(size - index("").length));
}

function accepted(
  rule: string,
  condition: string,
  headers: Record<string, string>,
  rest: Partial<Row> = {},
): Row {
  return { rule, condition, given: withConfig, request, headers, body: image, status: 201, ...rest };
}

function refused(
  rule: string,
  condition: string,
  headers: Record<string, string>,
  rest: Partial<Row> = {},
): Row {
  const errors = [{ code: "MANIFEST_INVALID" }];
  return { rule, condition, given: withConfig, request, headers, body: image, status: 400, errors, ...rest };
}

const created = {
  Location: `${origin}/v2/app/manifests/<body>`,
  "Docker-Content-Digest": "<body>",
  ETag: '"<body>"',
  "Content-Length": "0",
};

/** A50 to A69 but for what makes a manifest valid: PUT of manifests. */
export const writing: readonly Row[] = [
  {
    rule: "A50",
    condition: "a manifest of exactly 4 MiB",
    request,
    headers: { "Content-Type": ociIndex },
    body: indexOfSize(maxManifestSize),
    status: 201,
  },
  {
    rule: "A50",
    condition: "a manifest of 4 MiB and one byte",
    request,
    headers: { "Content-Type": ociIndex },
    body: indexOfSize(maxManifestSize + 1),
    status: 413,
    errors: [{ code: "MANIFEST_INVALID" }],
    differs: { seed: "400 `MANIFEST_INVALID`", because: "M12, OCI 79" },
  },
  {
    rule: "A50",
    condition: "the same of unknown length",
    request,
    headers: { "Content-Type": ociIndex },
    body: () => new Blob([indexOfSize(maxManifestSize + 1)]).stream(),
    status: 413,
    errors: [{ code: "MANIFEST_INVALID" }],
    differs: { seed: "400 `MANIFEST_INVALID`", because: "M12, OCI 79" },
  },
  accepted(
    "A52",
    "no Content-Type: the body says what it is",
    {},
    {
      afterwards: [["GET /v2/app/manifests/1", 200, "<body>"]],
      differs: { seed: "400 `MANIFEST_INVALID`", because: "design: the body declares its type" },
    },
  ),
  accepted(
    "A52",
    "no Content-Type and no mediaType: an image has a config",
    {},
    {
      body: undeclared,
      differs: { seed: "400 `MANIFEST_INVALID`", because: "design: the body declares its type" },
    },
  ),
  refused("A52", "no Content-Type, and a body that could be anything", {}, { body: { schemaVersion: 2 } }),
  ...["application/json", "application/vnd.docker.distribution.manifest.v1+prettyjws", "text/plain"].map(
    (type) =>
      refused(
        "A53",
        "a Content-Type of something else",
        { "Content-Type": type },
        {
          errors: [
            {
              code: "MANIFEST_INVALID",
              detail: `unsupported manifest media type and no default available: ${type}`,
            },
          ],
        },
      ),
  ),
  ...[";;", "application", "application/a b", "/"].map((type) =>
    refused("A54", "a Content-Type that is malformed", { "Content-Type": type }),
  ),
  ...[`${ociManifest}; charset=utf-8`, `${ociManifest};`, ociManifest.toUpperCase()].map((type) =>
    accepted("A55", "parameters, a semicolon, another letter case", { "Content-Type": type }),
  ),
  {
    rule: "A57",
    condition: "by a digest that the bytes do not have",
    given: withConfig,
    request: `PUT /v2/app/manifests/${wrong}`,
    headers: asManifest,
    body: image,
    status: 400,
    errors: [{ code: "DIGEST_INVALID" }],
  },
  {
    rule: "A3 A67",
    condition: "by the sha512 digest of the bytes",
    given: async (world) => {
      await withConfig(world);
      await world.label("image", image, ociManifest, "sha512");
    },
    request: "PUT /v2/app/manifests/<image>",
    headers: asManifest,
    body: "<image>",
    status: 201,
    answer: { "Docker-Content-Digest": "<image>", Location: `${origin}/v2/app/manifests/<image>` },
    differs: { seed: "400 `DIGEST_INVALID`", because: "M13, OCI 18" },
  },
  {
    rule: "A58",
    condition: "by what is neither tag nor digest",
    given: withConfig,
    request: "PUT /v2/app/manifests/-1",
    headers: asManifest,
    body: image,
    status: 400,
    errors: [{ code: "MANIFEST_INVALID" }],
    differs: { seed: "404 as text", because: "the answer is always the JSON envelope" },
  },
  {
    rule: "A61",
    condition: "missing references: one error each, the config first, each once",
    given: (world) => Promise.all(["config", "a", "b"].map((label) => world.label(label, `blob ${label}`))),
    request,
    headers: asManifest,
    body: {
      ...image,
      layers: ["<b>", "<a>", "<b>"].map((digest) => ({ mediaType: "text/x", digest, size: 1 })),
    },
    status: 400,
    errors: ["<config>", "<b>", "<a>"].map((detail) => ({ code: "MANIFEST_BLOB_UNKNOWN", detail })),
    differs: { seed: "400, one error for every mention", because: "design: references are de-duplicated" },
  },
  ...[...["nodigest", ""], `sha256:${"0".repeat(63)}`, "md5:abc"].map((digest, index) => ({
    ...refused(
      index < 2 ? "A62" : "A63",
      "a reference whose digest is malformed, short or of another algorithm",
      asManifest,
    ),
    body: { ...image, layers: [{ mediaType: "text/x", digest, size: 1 }] },
    errors: [{ code: "DIGEST_INVALID" }, { code: "MANIFEST_BLOB_UNKNOWN", detail: digest }],
    ...(index >= 2 && { differs: { seed: "500 `UNKNOWN`, three errors", because: "M11" } }),
  })),
  accepted("A67", "by tag", asManifest, {
    answer: created,
    afterwards: [["GET /v2/app/manifests/1", 200, "<body>"]],
  }),
  {
    rule: "A67",
    condition: "what is there already",
    given: (world) => world.image("image", { reference: "1" }),
    request,
    headers: asManifest,
    body: "<image>",
    status: 201,
    answer: { "Docker-Content-Digest": "<image>" },
  },
  accepted("A67 D9", "with a subject, which need not be there", asManifest, {
    body: { ...image, subject: { mediaType: ociManifest, digest: wrong, size: 1 } },
    answer: { ...created, "OCI-Subject": wrong },
    differs: { seed: "201 without OCI-Subject", because: "M27, OCI 85" },
  }),
  accepted("A68", "the tag cannot be written: the manifest stays, the tag is not there", asManifest, {
    given: async (world) => {
      await withConfig(world);
      world.breaks(({ kind, keys }) => kind === "put" && keys[0]?.includes("_skerry/tags/") === true);
    },
    status: 500,
    errors: [{ code: "UNKNOWN", detail: undefined }],
    afterwards: [
      ["GET /v2/app/manifests/<body>", 200, "<body>"],
      ["GET /v2/app/manifests/1", 404],
    ],
  }),
  {
    rule: "A69",
    condition: "an index without mediaType, pushed as one",
    given: async (world) => {
      const index = await world.label("index", { schemaVersion: 2, manifests: [] }, ociIndex);
      await world.push("index", index, { reference: "1" });
    },
    request: "GET /v2/app/manifests/1",
    status: 200,
    content: "<index>",
    answer: { "Content-Type": ociIndex },
  },
  {
    rule: "A69",
    condition: "the exact bytes, white space and all",
    given: async (world) => {
      await withConfig(world);
      const bytes = `\n ${world.resolve(JSON.stringify({ ...image, mediaType: dockerManifest }))} \n\n`;
      await world.push("image", await world.label("image", bytes, dockerManifest), { reference: "1" });
    },
    request: "GET /v2/app/manifests/1",
    status: 200,
    content: "<image>",
    answer: { "Content-Type": dockerManifest },
  },
];
