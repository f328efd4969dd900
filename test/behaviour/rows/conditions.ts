import { ociManifest } from "../../../src/oci/media-type.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const asManifest = { "Content-Type": ociManifest };
const unconditional = { differs: { seed: "201", because: "OCI 86" } };
const noTag = (because: string) => ({ differs: { seed: "201, no tag", because } });

/** The tag `1` names one image, another one is there without a tag. */
async function twoImages(world: World): Promise<void> {
  await world.image("old", { reference: "1" });
  await world.image("new");
}

function put(condition: string, headers: Record<string, string>, rest: Partial<Row>): Row {
  return {
    rule: "A67",
    condition,
    given: twoImages,
    request: "PUT /v2/app/manifests/1",
    headers: { ...asManifest, ...headers },
    body: "<new>",
    status: 201,
    ...rest,
  };
}

function putTags(condition: string, tags: readonly string[], rest: Partial<Row>): Row {
  return {
    rule: "A67",
    condition,
    given: twoImages,
    request: `PUT /v2/app/manifests/<new>?${tags.map((tag) => `tag=${tag}`).join("&")}`,
    headers: asManifest,
    body: "<new>",
    status: 201,
    ...rest,
  };
}

const namesOld: Partial<Row> = {
  status: 412,
  errors: [{ code: "DENIED", detail: { tag: "1", digest: "<old>" } }],
  answer: { ETag: '"<old>"' },
  afterwards: [["GET /v2/app/manifests/1", 200, "<old>"]],
};
const namesNew: Partial<Row> = { afterwards: [["GET /v2/app/manifests/1", 200, "<new>"]] };

/** PUT and DELETE under a condition, and PUT by digest that sets tags: what distribution does not have. */
export const conditions: readonly Row[] = [
  put("If-None-Match: * and the tag is there", { "If-None-Match": "*" }, { ...namesOld, ...unconditional }),
  put("If-Match with another digest", { "If-Match": '"<new>"' }, { ...namesOld, ...unconditional }),
  put(
    "If-None-Match with what the tag names",
    { "If-None-Match": '"<old>"' },
    { ...namesOld, ...unconditional },
  ),
  put("If-Match with what the tag names", { "If-Match": '"<old>"' }, namesNew),
  put("If-Match: * and the tag is there", { "If-Match": "*" }, namesNew),
  put(
    "If-Match: * and the tag is not there",
    { "If-Match": "*" },
    {
      request: "PUT /v2/app/manifests/2",
      status: 412,
      errors: [{ code: "DENIED", detail: { tag: "2", digest: null } }],
      answer: { ETag: null },
      ...unconditional,
    },
  ),
  put(
    "If-None-Match: * and the tag is not there",
    { "If-None-Match": "*" },
    { request: "PUT /v2/app/manifests/2", afterwards: [["GET /v2/app/manifests/2", 200, "<new>"]] },
  ),
  put(
    "by digest, If-None-Match: * and the manifest is there",
    { "If-None-Match": "*" },
    { request: "PUT /v2/app/manifests/<new>", status: 412, errors: [{ code: "DENIED" }], ...unconditional },
  ),
  put(
    "by digest, If-Match: * and the manifest is there",
    { "If-Match": "*" },
    { request: "PUT /v2/app/manifests/<new>" },
  ),
  {
    rule: "A90",
    condition: "DELETE by tag, If-Match with another digest",
    given: twoImages,
    request: "DELETE /v2/app/manifests/1",
    headers: { "If-Match": '"<new>"' },
    ...namesOld,
    status: 412,
    differs: { seed: "202", because: "OCI 86" },
  },
  {
    rule: "A90",
    condition: "DELETE by tag, If-Match with what it names",
    given: twoImages,
    request: "DELETE /v2/app/manifests/1",
    headers: { "If-Match": '"<old>"' },
    status: 202,
    afterwards: [["GET /v2/app/manifests/1", 404]],
  },
  {
    rule: "A90",
    condition: "DELETE by digest, If-None-Match: *",
    given: twoImages,
    request: "DELETE /v2/app/manifests/<old>",
    headers: { "If-None-Match": "*" },
    status: 412,
    errors: [{ code: "DENIED" }],
    afterwards: [["GET /v2/app/manifests/<old>", 200]],
    differs: { seed: "202", because: "OCI 86" },
  },
  putTags("`?tag=` beside a digest: each tag once", ["a", "b", "a"], {
    answer: { "OCI-Tag": "a, b" },
    afterwards: [
      ["GET /v2/app/manifests/a", 200, "<new>"],
      ["GET /v2/app/manifests/b", 200, "<new>"],
    ],
    ...noTag("OCI 81, OCI 84"),
  }),
  putTags("`?tag=` with what is no tag: none is set", ["a", "-"], {
    status: 400,
    errors: [{ code: "MANIFEST_INVALID" }],
    afterwards: [["GET /v2/app/manifests/a", 404]],
    ...noTag("OCI 14"),
  }),
  putTags(
    "more than 50 times `?tag=`: none is set",
    Array.from({ length: 51 }, (_, number) => `t${number}`),
    {
      status: 414,
      errors: [{ code: "MANIFEST_INVALID" }],
      afterwards: [["GET /v2/app/manifests/t0", 404]],
      ...noTag("OCI 83"),
    },
  ),
  putTags("`?tag=` beside a tag counts for nothing", ["a"], {
    request: "PUT /v2/app/manifests/1?tag=a",
    answer: { "OCI-Tag": null },
    afterwards: [["GET /v2/app/manifests/a", 404]],
  }),
];
