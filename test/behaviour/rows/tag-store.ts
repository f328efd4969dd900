import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const nowhere = `sha256:${"0".repeat(64)}`;
const tags = "docker/registry/v2/repositories/app/_manifests/tags/";
const tagged = (world: World) => world.image("image", { reference: "v1.0" });
const list = "GET /v2/app/tags/list";

/** Section B: what of distribution's tag store clients can see. */
export const tagStore: readonly Row[] = [
  {
    rule: "B1 B7",
    condition: "half a tag, and stray keys where tags are kept, are no tags",
    given: async (world) => {
      await tagged(world);
      await world.put(`${tags}half/index/sha256/${"0".repeat(64)}/link`, nowhere);
      await world.put(`${tags}stray`, "x");
      await world.put("repositories/app/_skerry/tags/-no-tag", "x");
    },
    request: list,
    status: 200,
    content: { name: "app", tags: ["v1.0"] },
    differs: { seed: "200 with all of them", because: "M25" },
  },
  {
    rule: "B2",
    condition: "a tag is what its register says, whatever the link for distribution says",
    given: async (world) => {
      await tagged(world);
      await world.put(`${tags}v1.0/current/link`, nowhere);
    },
    request: "GET /v2/app/manifests/v1.0",
    status: 200,
    content: "<image>",
    differs: {
      seed: "404 `MANIFEST_UNKNOWN`",
      because: "the register can be swapped on a condition, the link is for distribution",
    },
  },
  {
    rule: "B3",
    condition: "a tag that is set has the link that distribution reads",
    given: (world) => world.image("image"),
    request: "PUT /v2/app/manifests/v1.0",
    headers: { "Content-Type": "application/vnd.oci.image.manifest.v1+json" },
    body: "<image>",
    status: 201,
    keys: { [`${tags}v1.0/current/link`]: "<image>" },
  },
  {
    rule: "B3",
    condition: "the last writer wins",
    given: async (world) => {
      await tagged(world);
      await world.image("second", { reference: "v1.0" });
    },
    request: "GET /v2/app/manifests/v1.0",
    status: 200,
    content: "<second>",
  },
  {
    rule: "B4",
    condition: "a tag that is deleted has no link for distribution",
    given: tagged,
    request: "DELETE /v2/app/manifests/v1.0",
    status: 202,
    keys: { [`${tags}v1.0/current/link`]: null },
  },
  {
    rule: "B5",
    condition: "a delete by digest finds its tags whatever happened to their links",
    given: async (world) => {
      await tagged(world);
      await world.registry.r2.actor("vandal").delete(`${tags}v1.0/current/link`);
    },
    request: "DELETE /v2/app/manifests/<image>",
    status: 202,
    afterwards: [[list, 200, { name: "app", tags: [] }]],
  },
  {
    rule: "B20",
    condition: "a list that fails is a failure, not an absence",
    given: async (world) => {
      await tagged(world);
      world.breaks(({ kind }) => kind === "list");
    },
    request: "DELETE /v2/app/manifests/<image>",
    status: 500,
    errors: [{ code: "UNKNOWN", detail: undefined }],
    differs: { seed: "404 on S3", because: "M26" },
  },
  {
    rule: "B21",
    condition: "a tag that is only the beginning of another one",
    given: tagged,
    request: "DELETE /v2/app/manifests/v1",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
    afterwards: [["GET /v2/app/manifests/v1.0", 200]],
    differs: { seed: "202 on S3", because: "M26" },
  },
  {
    rule: "B22",
    condition: "the last tag is gone",
    given: async (world) => {
      await tagged(world);
      await world.expect("DELETE /v2/app/manifests/v1.0", 202);
    },
    request: list,
    status: 200,
    content: { name: "app", tags: [] },
    differs: { seed: "404 `NAME_UNKNOWN` on S3", because: "OCI 88: the repository is there" },
  },
];
