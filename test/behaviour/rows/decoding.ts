import {
  dockerImageConfig,
  dockerManifest,
  dockerManifestList,
  type ManifestMediaType,
  ociIndex,
  ociManifest,
} from "../../../src/oci/media-type.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const config = { mediaType: dockerImageConfig, digest: "<config>", size: 11 };
const image = { schemaVersion: 2, config, layers: [] };
const index = { schemaVersion: 2, manifests: [] };
const withConfig = (world: World) => world.blob("config");

type Case = readonly [
  condition: string,
  type: ManifestMediaType,
  body: object | string,
  differs?: Row["differs"],
];

function put(
  rule: string,
  [condition, type, body, differs]: Case,
  rest: Pick<Row, "status" | "errors">,
): Row {
  return {
    rule,
    condition,
    given: withConfig,
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": type },
    body,
    ...rest,
    ...(differs !== undefined && { differs }),
  };
}

function refused(rule: string, given: Case, detail?: string): Row {
  const errors = [{ code: "MANIFEST_INVALID", ...(detail !== undefined && { detail }) }];
  return put(rule, given, { status: 400, errors });
}

const accepted = (rule: string, given: Case) => put(rule, given, { status: 201 });

const confusing = { seed: "201", because: "M14" };
const text = JSON.stringify({ ...index, mediaType: ociIndex });

/** D.1 and A56: what is a manifest at all, and of which type. */
export const decoding: readonly Row[] = [
  ...Object.entries({
    nothing: "",
    "an array": "[]",
    null: "null",
    "a string": '"text"',
    "half an object": text.slice(0, -1),
    "two objects": text + text,
    "garbage after the object": `${text}x`,
    "a byte order mark": `\ufeff${text}`,
  }).map(([condition, body]) => refused("A56 D.1", [condition, ociIndex, body])),
  refused(
    "D.1",
    ["a Docker manifest without mediaType", dockerManifest, image],
    `mediaType in manifest should be '${dockerManifest}' not ''`,
  ),
  refused(
    "D.1",
    ["a Docker manifest list without mediaType", dockerManifestList, index],
    `mediaType in manifest list should be '${dockerManifestList}' not ''`,
  ),
  refused(
    "D.1",
    ["a body of another type than the Content-Type", ociManifest, { ...image, mediaType: dockerManifest }],
    `if present, mediaType in manifest should be '${ociManifest}' not '${dockerManifest}'`,
  ),
  refused(
    "D.1",
    ["the same for an index", ociIndex, { ...index, mediaType: dockerManifestList }],
    `if present, mediaType in image index should be '${ociIndex}' not '${dockerManifestList}'`,
  ),
  refused(
    "D.1",
    ["an OCI manifest with `manifests`", ociManifest, { ...image, manifests: [] }],
    "expected manifest but found index",
  ),
  accepted("D.1", ["an OCI manifest whose `manifests` is null", ociManifest, { ...image, manifests: null }]),
  refused(
    "D.1",
    ["an OCI index with `config`", ociIndex, { ...index, config: {} }],
    "expected index but found manifest",
  ),
  refused(
    "D.1",
    ["an OCI index with `layers`", ociIndex, { ...index, layers: [] }],
    "expected index but found manifest",
  ),
  refused("D.1", [
    "a Docker manifest list with `config`",
    dockerManifestList,
    { ...index, mediaType: dockerManifestList, config: {} },
    confusing,
  ]),
  accepted("D.1", ["an OCI manifest without mediaType", ociManifest, image]),
  accepted("D.1", ["an OCI index without mediaType", ociIndex, index]),
  accepted("D.1", ["fields that nobody knows", ociIndex, { ...index, more: { x: [1] }, x: null }]),
  accepted("D.1", ["white space around the body", ociIndex, ` ${text}\r\n\t `]),
  refused("D.1", [
    "`MediaType` in another letter case",
    ociIndex,
    { ...index, MediaType: ociManifest },
    confusing,
  ]),
  refused("D.1", ["`CONFIG` in another letter case", ociIndex, { ...index, CONFIG: config }, confusing]),
  refused("D.1", [
    "`mediaType` twice",
    ociIndex,
    `{"mediaType":"${ociManifest}",${text.slice(1)}`,
    { seed: "201, the last one counts", because: "M14" },
  ]),
  refused("D.1", [
    "a size that is negative",
    ociManifest,
    { ...image, config: { ...config, size: -1 } },
    { seed: "201", because: "image-spec: a size is a number of bytes" },
  ]),
  refused("D.1", ["a size that is no integer", ociManifest, { ...image, config: { ...config, size: 1.5 } }]),
  refused("D.1", ["a size that is text", ociManifest, { ...image, config: { ...config, size: "1" } }]),
  refused("D.1", ["`layers` that are no array", ociManifest, { ...image, layers: {} }]),
  refused("D.1", ["an annotation that is a number", ociIndex, { ...index, annotations: { a: 1 } }]),
  refused("D.1", [
    "nesting deeper than 128 levels",
    ociIndex,
    `${text.slice(0, -1)},"x":${"[".repeat(128)}${"]".repeat(128)}}`,
    {
      seed: "201, up to 10,000 levels",
      because: "readers with a recursive parser must survive what is stored",
    },
  ]),
  ...[1, 3, undefined].map((schemaVersion) =>
    put(
      "A60 D1",
      [
        "an image whose schemaVersion is not 2",
        ociManifest,
        { ...image, schemaVersion },
        { seed: "500 `UNKNOWN`", because: "M11" },
      ],
      {
        status: 400,
        errors: [
          { code: "MANIFEST_INVALID", detail: `unrecognized manifest schema version ${schemaVersion ?? 0}` },
        ],
      },
    ),
  ),
  put(
    "A60 D1",
    [
      "an index whose schemaVersion is not 2",
      ociIndex,
      { ...index, schemaVersion: 1 },
      { seed: "500 `UNKNOWN`", because: "M11" },
    ],
    {
      status: 400,
      errors: [
        { code: "MANIFEST_INVALID", detail: "unrecognized manifest list schema version 1, expected 2" },
      ],
    },
  ),
  put("D10", ["an image without config and layers", ociManifest, { schemaVersion: 2 }], {
    status: 400,
    errors: [{ code: "DIGEST_INVALID" }, { code: "MANIFEST_BLOB_UNKNOWN", detail: "" }],
  }),
  refused("D10 A43", [
    "an index without `manifests`",
    ociIndex,
    { schemaVersion: 2 },
    { seed: "201, and read back as an image manifest", because: "M14" },
  ]),
];
