import { encodedOf } from "../../../src/oci/digest.ts";
import { dockerManifest, dockerManifestList, ociIndex, ociManifest } from "../../../src/oci/media-type.ts";
import type { Row } from "../row.ts";
import { blobKey, type World } from "../world.ts";

const revisions = "repositories/app/_manifests/revisions/sha256/";
const nowhere = `sha256:${"0".repeat(64)}`;

const schema2 = {
  schemaVersion: 2,
  mediaType: dockerManifest,
  config: { mediaType: "application/vnd.docker.container.image.v1+json", digest: nowhere, size: 2 },
  layers: [],
};

/** A list and its child as distribution left them, without metadata. */
async function foreignList(world: World, tag?: string): Promise<void> {
  await world.foreign("child", schema2);
  const child = { mediaType: dockerManifest, digest: "<child>", size: 2 };
  await world.foreign(
    "list",
    {
      schemaVersion: 2,
      mediaType: dockerManifestList,
      manifests: [{ ...child, platform: { architecture: "amd64", os: "linux" } }],
    },
    tag === undefined ? {} : { tag },
  );
}

/** What distribution has stored and does not take for a manifest. */
const odd: readonly (readonly [condition: string, content: object | string])[] = [
  ["bytes that are no JSON", "not JSON"],
  ["a schema 1 manifest", { schemaVersion: 1 }],
  ["a media type of somebody else", { schemaVersion: 2, mediaType: "text/x" }],
];

/** A21, A25 to A27, A42, A43: what distribution, or damage, left in the bucket. */
export const foreign: readonly Row[] = [
  {
    rule: "A30 A40",
    condition: "a Docker manifest that distribution wrote, its link without metadata",
    given: (world) => foreignList(world),
    request: "GET /v2/app/manifests/<child>",
    status: 200,
    content: "<child>",
    answer: { "Content-Type": dockerManifest, "Docker-Content-Digest": "<child>" },
  },
  {
    rule: "A31",
    condition: "a manifest list that distribution wrote",
    given: (world) => foreignList(world),
    request: "GET /v2/app/manifests/<list>",
    status: 200,
    content: "<list>",
    answer: { "Content-Type": dockerManifestList },
  },
  {
    rule: "A33",
    condition: "a list that distribution wrote, tagged since: its child for an old client",
    given: async (world) => {
      await foreignList(world);
      await world.push("list", world.content("list"), { reference: "1" });
    },
    request: "GET /v2/app/manifests/1",
    headers: { Accept: dockerManifest },
    status: 200,
    content: "<child>",
  },
  ...["GET", "HEAD"].map(
    (method): Row => ({
      rule: "A20 B2",
      condition: "a tag that distribution wrote",
      given: (world) => world.foreign("image", schema2, { tag: "1" }),
      request: `${method} /v2/app/manifests/1`,
      status: 200,
      answer: { "Content-Type": dockerManifest, "Docker-Content-Digest": "<image>" },
    }),
  ),
  {
    rule: "A33",
    condition: "a tag that distribution wrote, on a list: its child for an old client",
    given: (world) => foreignList(world, "1"),
    request: "GET /v2/app/manifests/1",
    headers: { Accept: dockerManifest },
    status: 200,
    content: "<child>",
  },
  {
    rule: "F1",
    condition: "tags that distribution wrote; half a tag is none",
    given: async (world) => {
      for (const tag of ["1", "1-alpine", "a"]) await world.foreign("image", schema2, { tag });
      await world.put(`repositories/app/_manifests/tags/half/index/sha256/${"0".repeat(64)}/link`, nowhere);
    },
    request: "GET /v2/app/tags/list",
    status: 200,
    content: { name: "app", tags: ["1", "1-alpine", "a"] },
    differs: { seed: "200 with `half`", because: "M25" },
  },
  {
    rule: "A90",
    condition: "DELETE by digest of a manifest with tags that distribution wrote",
    given: async (world) => {
      for (const tag of ["1", "2"]) await world.foreign("image", schema2, { tag });
      await world.foreign("other", { ...schema2, layers: [schema2.config] }, { tag: "3" });
    },
    request: "DELETE /v2/app/manifests/<image>",
    status: 202,
    afterwards: [
      ["GET /v2/app/manifests/<image>", 404],
      ["GET /v2/app/manifests/1", 404],
      ["GET /v2/app/manifests/3", 200, "<other>"],
    ],
  },
  {
    rule: "A91",
    condition: "the same beside a tag link that is unreadable",
    given: async (world) => {
      await world.foreign("image", schema2, { tag: "1" });
      await world.put("repositories/app/_manifests/tags/2/current/link", "garbage");
    },
    request: "DELETE /v2/app/manifests/<image>",
    status: 202,
    afterwards: [["GET /v2/app/manifests/1", 404]],
    differs: { seed: "500 `UNKNOWN`, the tags dangle for ever", because: "M1, M5" },
  },
  {
    rule: "A82",
    condition: "DELETE of a tag that distribution wrote",
    given: (world) => world.foreign("image", schema2, { tag: "1" }),
    request: "DELETE /v2/app/manifests/1",
    status: 202,
    afterwards: [
      ["GET /v2/app/manifests/1", 404],
      ["GET /v2/app/manifests/<image>", 200],
    ],
  },
  {
    rule: "B3",
    condition: "PUT of a tag that distribution wrote, If-Match with what it names",
    given: async (world) => {
      await world.image("new");
      await world.foreign("image", schema2, { tag: "1" });
    },
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": ociManifest, "If-Match": '"<image>"' },
    body: "<new>",
    status: 201,
    afterwards: [["GET /v2/app/manifests/1", 200, "<new>"]],
  },
  {
    rule: "D8",
    condition: "an index over a manifest that distribution wrote",
    given: (world) => foreignList(world),
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": ociIndex },
    body: {
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [{ mediaType: dockerManifest, digest: "<child>", size: 2 }],
    },
    status: 201,
  },
  {
    rule: "D3",
    condition: "an image over a layer that distribution wrote",
    given: (world) => world.foreignLayer("layer"),
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": ociManifest },
    body: { schemaVersion: 2, config: { mediaType: "text/x", digest: "<layer>", size: 2 }, layers: [] },
    status: 201,
  },
  ...["garbage", "", "sha256:abc", `${nowhere}\n`].map(
    (link): Row => ({
      rule: "A21",
      condition: `a tag link that says ${JSON.stringify(link.slice(0, 10))}`,
      given: (world) => world.foreign("image", schema2, { tag: "1", link }),
      request: "GET /v2/app/manifests/1",
      status: 404,
      errors: [{ code: "MANIFEST_UNKNOWN" }],
      differs: { seed: "500 `UNKNOWN`", because: "M5: what cannot be read leads nowhere" },
    }),
  ),
  {
    rule: "A21",
    condition: "a revision link that is unreadable",
    given: (world) => world.foreign("image", schema2, { link: "garbage" }),
    request: "GET /v2/app/manifests/<image>",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
    differs: { seed: "500 `UNKNOWN`", because: "M5: what cannot be read leads nowhere" },
  },
  {
    rule: "A21",
    condition: "a tag register that is damaged",
    given: (world) => world.put("repositories/app/_skerry/tags/1", "garbage"),
    request: "GET /v2/app/manifests/1",
    status: 500,
    errors: [{ code: "UNKNOWN", detail: undefined }],
    differs: { seed: "500 `UNKNOWN` with the text of the driver", because: "M18" },
  },
  {
    rule: "A25",
    condition: "the link without its data",
    given: async (world) => {
      await world.foreign("image", schema2);
      await world.registry.r2.actor("vandal").delete(blobKey(world.content("image").digest));
    },
    request: "GET /v2/app/manifests/<image>",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
  },
  {
    rule: "A25",
    condition: "the data without a link",
    given: async (world) => {
      await world.foreign("image", schema2);
      await world.remove(`${revisions}${encodedOf(world.content("image").digest)}/link`);
    },
    request: "GET /v2/app/manifests/<image>",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
  },
  ...odd.map(
    ([condition, content]): Row => ({
      rule: "A26",
      condition: `${condition} under a revision link`,
      given: (world) => world.foreign("odd", content),
      request: "GET /v2/app/manifests/<odd>",
      status: 200,
      content: "<odd>",
      answer: { "Content-Type": ociManifest },
      differs: { seed: "500 `UNKNOWN`", because: "who names a digest gets the bytes, and verifies them" },
    }),
  ),
  ...[
    ["`manifests` is a string", { schemaVersion: 2, manifests: "none" }, ociIndex] as const,
    ["an annotation is a number", { schemaVersion: 2, annotations: { a: 1 } }, ociManifest] as const,
    ["`manifests` holds no descriptors", { schemaVersion: 2, manifests: [1, null] }, ociIndex] as const,
  ].map(
    ([condition, content, mediaType]): Row => ({
      rule: "A27",
      condition: `no mediaType, and ${condition}`,
      given: (world) => world.foreign("odd", content),
      request: "GET /v2/app/manifests/<odd>",
      status: 200,
      content: "<odd>",
      answer: { "Content-Type": mediaType },
      differs: { seed: "the connection drops", because: "M15" },
    }),
  ),
  {
    rule: "A42",
    condition: "data that does not have its digest is served as it is: the client verifies",
    given: async (world) => {
      await world.foreign("image", schema2);
      await world.label("other", { ...schema2, layers: [schema2.config] });
      await world.put(blobKey(world.content("image").digest), world.content("other").bytes);
    },
    request: "GET /v2/app/manifests/<image>",
    status: 200,
    content: "<other>",
    answer: { "Docker-Content-Digest": "<image>" },
  },
  {
    rule: "A43",
    condition: "a bare index that distribution took counts as an OCI manifest",
    given: (world) => world.foreign("bare", { schemaVersion: 2 }),
    request: "GET /v2/app/manifests/<bare>",
    headers: { Accept: ociIndex },
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
  },
  {
    rule: "A43",
    condition: "an index that is empty is an index",
    given: (world) => world.foreign("empty", { schemaVersion: 2, manifests: [] }),
    request: "GET /v2/app/manifests/<empty>",
    headers: { Accept: ociIndex },
    status: 200,
    content: "<empty>",
    answer: { "Content-Type": ociIndex },
  },
];
