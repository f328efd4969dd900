import { ociIndex, ociManifest } from "../../../src/oci/media-type.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const nowhere = `sha256:${"0".repeat(64)}`;
const tar = "application/vnd.oci.image.layer.v1.tar";
const unknown = { code: "MANIFEST_BLOB_UNKNOWN", detail: nowhere };

async function image(world: World): Promise<void> {
  await world.image("image");
}

function index(
  rule: string,
  condition: string,
  given: Row["given"],
  children: readonly object[],
  rest: Partial<Row>,
): Row {
  return {
    rule,
    condition,
    ...(given !== undefined && { given }),
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": ociIndex },
    body: { schemaVersion: 2, mediaType: ociIndex, manifests: children },
    status: 201,
    ...rest,
  };
}

const many = Array.from({ length: 801 }, (_, number) => ({
  mediaType: ociManifest,
  digest: `sha256:${String(number).padStart(64, "0")}`,
  size: 1,
}));

/** D8: what an index refers to. */
export const children: readonly Row[] = [
  index("D8", "a child that is there", image, [{ mediaType: ociManifest, digest: "<image>", size: 1 }], {}),
  index("D8", "no children", undefined, [], {}),
  index(
    "D8",
    "an index of an index",
    async (world) => {
      await image(world);
      await world.index("inner", ["image"]);
    },
    [{ mediaType: ociIndex, digest: "<inner>", size: 1 }],
    {},
  ),
  index("D8", "a child that is missing", undefined, [{ mediaType: ociManifest, digest: nowhere, size: 1 }], {
    status: 400,
    errors: [unknown],
  }),
  index(
    "D8",
    "a child that is only a blob",
    (world) => world.blob("blob"),
    [{ mediaType: ociManifest, digest: "<blob>", size: 1 }],
    {
      status: 400,
      errors: [{ code: "MANIFEST_BLOB_UNKNOWN", detail: "<blob>" }],
    },
  ),
  index(
    "D8",
    "a child whose media type is that of a layer is a blob",
    (world) => world.blob("blob"),
    [{ mediaType: tar, digest: "<blob>", size: 1 }],
    {
      differs: { seed: "400 `MANIFEST_BLOB_UNKNOWN`", because: "the cache indexes of BuildKit list layers" },
    },
  ),
  index(
    "D8",
    "a child whose digest is malformed",
    undefined,
    [{ mediaType: ociManifest, digest: "x", size: 1 }],
    {
      status: 400,
      errors: [{ code: "DIGEST_INVALID" }, { code: "MANIFEST_BLOB_UNKNOWN", detail: "x" }],
    },
  ),
  index("D8", "more references than `MAX_REFERENCES`", undefined, many, {
    status: 400,
    errors: [{ code: "MANIFEST_INVALID", detail: "801 references, at most 800 allowed" }],
    differs: { seed: "400, an error for each", because: "design: every reference is an operation" },
  }),
  index(
    "D8",
    "a lower `MAX_REFERENCES`",
    image,
    [{ mediaType: ociManifest, digest: "<image>", size: 1 }, ...many.slice(0, 2)],
    {
      config: { maxReferences: 2 },
      status: 400,
      errors: [{ code: "MANIFEST_INVALID", detail: "3 references, at most 2 allowed" }],
      differs: {
        seed: "400, an error for the missing one",
        because: "design: every reference is an operation",
      },
    },
  ),
];
