import { createHash } from "node:crypto";

export const types = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
} as const;

const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar";

export type Algorithm = "sha256" | "sha512";

/** Bytes with a digest by each algorithm. */
export interface Content {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  readonly sha512: string;
}

/** What a manifest needs, and what it says of itself, written down beside its bytes. */
export interface ManifestContent extends Content {
  readonly type: string;
  readonly blobs: readonly string[];
  readonly children: readonly string[];
  readonly subject?: string;
  /** As the referrers list of its subject has it. */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Digest of the child that an old client gets. */
  readonly amd64?: string;
}

function contentOf(text: string): Content {
  const bytes = new Uint8Array(new TextEncoder().encode(text));
  const digest = (algorithm: Algorithm) =>
    `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
  return { bytes, sha256: digest("sha256"), sha512: digest("sha512") };
}

function descriptor(content: Content, mediaType: string, more: object = {}) {
  return { mediaType, digest: content.sha256, size: content.bytes.byteLength, ...more };
}

type Facts = Omit<ManifestContent, keyof Content | "blobs" | "children"> &
  Partial<Pick<ManifestContent, "blobs" | "children">>;

function manifest(body: object, facts: Facts): ManifestContent {
  return { blobs: [], children: [], ...facts, ...contentOf(JSON.stringify({ schemaVersion: 2, ...body })) };
}

const config = contentOf("{}");
const layer = contentOf("layer");
const other = contentOf("another layer");
const empty = contentOf("");

/** An OCI image over the configuration. */
function image(layers: readonly Content[], more: object = {}, facts: Partial<Facts> = {}): ManifestContent {
  const body = {
    mediaType: types.ociManifest,
    config: descriptor(config, configType),
    layers: layers.map((each) => descriptor(each, layerType)),
    ...more,
  };
  return manifest(body, {
    type: types.ociManifest,
    blobs: [config, ...layers].map(({ sha256 }) => sha256),
    ...facts,
  });
}

function index(
  children: readonly ManifestContent[],
  more: object = {},
  facts: Partial<Facts> = {},
): ManifestContent {
  const body = {
    mediaType: types.ociIndex,
    manifests: children.map((child) => descriptor(child, child.type)),
    ...more,
  };
  return manifest(body, { type: types.ociIndex, children: children.map(({ sha256 }) => sha256), ...facts });
}

const small = image([layer]);
const large = image([layer, other], { annotations: { a: "b" } });
const docker = manifest(
  { mediaType: types.dockerManifest, config: descriptor(config, configType), layers: [] },
  { type: types.dockerManifest, blobs: [config.sha256] },
);
const pair = index([small, large]);
const list = manifest(
  {
    mediaType: types.dockerList,
    manifests: [
      descriptor(small, small.type, { platform: { os: "linux", architecture: "arm64" } }),
      descriptor(docker, docker.type, { platform: { os: "linux", architecture: "amd64" } }),
    ],
  },
  { type: types.dockerList, children: [small.sha256, docker.sha256], amd64: docker.sha256 },
);
const signature = image(
  [other],
  {
    artifactType: "application/x.signature",
    subject: descriptor(small, small.type),
    annotations: { by: "me" },
  },
  { subject: small.sha256, artifactType: "application/x.signature", annotations: { by: "me" } },
);
const attestation = image(
  [],
  { subject: descriptor(small, small.type) },
  { subject: small.sha256, artifactType: configType },
);
const bundle = index([], { subject: descriptor(signature, signature.type) }, { subject: signature.sha256 });
const elsewhere = image([], {
  layers: [
    {
      mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
      digest: `sha256:${"0".repeat(64)}`,
      size: 1,
      urls: ["https://example.com/layer"],
    },
  ],
});
const nested = index([pair, docker]);

/** Every manifest that is pushed; one comes after what it refers to. */
export const manifests: readonly ManifestContent[] = [
  small,
  large,
  docker,
  pair,
  list,
  signature,
  attestation,
  bundle,
  elsewhere,
  nested,
];

/** Every blob that is pushed. The last one is a manifest too. */
export const blobs: readonly Content[] = [config, layer, other, empty, small];

/** Bodies that are no manifest of any kind, with the code that they get. */
export const broken: readonly {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly codes: readonly string[];
}[] = [
  { ...contentOf("no JSON"), codes: ["MANIFEST_INVALID"] },
  { ...contentOf('{"schemaVersion":1}'), codes: ["MANIFEST_INVALID"] },
  { ...contentOf(`{"schemaVersion":2,"mediaType":"${types.ociIndex}"}`), codes: ["MANIFEST_INVALID"] },
  {
    ...contentOf('{"schemaVersion":2,"config":{"digest":"x"},"layers":[]}'),
    codes: ["DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"],
  },
];
