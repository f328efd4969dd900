import type { Operation } from "../../doubles/operation.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const nowhere = `sha256:${"0".repeat(64)}`;
const byDigest = "DELETE /v2/app/manifests/<image>";

/** An image with the tags `a` and `b`, and another one with the tag `c`. */
async function tagged(world: World): Promise<void> {
  await world.image("image", { reference: "a" });
  await world.push("image", world.content("image"), { reference: "b" });
  await world.image("other", { reference: "c" });
}

/** Whether the operation writes the register of that tag. */
function writesTag(tag: string): (operation: Operation) => boolean {
  return ({ kind, keys }) => kind === "put" && keys[0]?.endsWith(`_skerry/tags/${tag}`) === true;
}

const partial = {
  code: "UNKNOWN",
  message: "the manifest is deleted, but some of its tags could not be removed yet: repeat the request",
  detail: { tags: ["b"] },
};

const onlyC = { name: "app", tags: ["c"] };

/** A82 to A97: DELETE of manifests. */
export const deleting: readonly Row[] = [
  {
    rule: "A82",
    condition: "by tag: only the tag goes",
    given: tagged,
    request: "DELETE /v2/app/manifests/a",
    status: 202,
    answer: { "Content-Length": "0" },
    afterwards: [
      ["GET /v2/app/manifests/a", 404],
      ["GET /v2/app/manifests/b", 200, "<image>"],
      ["GET /v2/app/manifests/<image>", 200, "<image>"],
    ],
  },
  ...["DELETE /v2/app/manifests/x", "DELETE /v2/nowhere/manifests/x", "DELETE /v2/app/manifests/-"].map(
    (request): Row => ({
      rule: "A83",
      condition: "a tag or repository that is not there",
      given: tagged,
      request,
      status: 404,
      errors: [{ code: "MANIFEST_UNKNOWN", detail: `unknown tag=${request.at(-1)}` }],
      differs: { seed: "404 `MANIFEST_UNKNOWN` with a path of the back end", because: "M18" },
    }),
  ),
  {
    rule: "A83",
    condition: "a tag that was deleted",
    given: async (world) => {
      await tagged(world);
      await world.expect("DELETE /v2/app/manifests/a", 202);
    },
    request: "DELETE /v2/app/manifests/a",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN", detail: "unknown tag=a" }],
  },
  {
    rule: "A84",
    condition: "a folder of a tag without a current link",
    given: (world) =>
      world.put(`repositories/app/_manifests/tags/x/index/sha256/${"0".repeat(64)}/link`, nowhere),
    request: "DELETE /v2/app/manifests/x",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
    differs: { seed: "202", because: "M25: half a tag is no tag" },
  },
  {
    rule: "A85",
    condition: "by tag, and the bucket fails",
    given: async (world) => {
      await tagged(world);
      world.breaks(writesTag("a"));
    },
    request: "DELETE /v2/app/manifests/a",
    status: 500,
    errors: [{ code: "UNKNOWN", detail: undefined }],
    differs: { seed: "500 `UNKNOWN` with the text of the driver", because: "M18" },
  },
  ...[nowhere, `sha512:${"0".repeat(128)}`].map(
    (digest): Row => ({
      rule: "A86 A3",
      condition: "a digest that is not there",
      given: tagged,
      request: `DELETE /v2/app/manifests/${digest}`,
      status: 404,
      errors: [{ code: "MANIFEST_UNKNOWN" }],
    }),
  ),
  {
    rule: "A86",
    condition: "a digest of another repository",
    given: tagged,
    request: "DELETE /v2/elsewhere/manifests/<image>",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
    afterwards: [["GET /v2/app/manifests/<image>", 200]],
  },
  {
    rule: "A87",
    condition: "a digest of an algorithm that is not verified",
    request: `DELETE /v2/app/manifests/sha384:${"0".repeat(96)}`,
    status: 400,
    errors: [{ code: "DIGEST_INVALID" }],
    differs: { seed: "202 at worst: the error is swallowed", because: "M17" },
  },
  {
    rule: "A88",
    condition: "a digest that is malformed",
    request: "DELETE /v2/app/manifests/sha256:abc",
    status: 400,
    errors: [{ code: "DIGEST_INVALID" }],
  },
  {
    rule: "A89",
    condition: "by digest, and the bucket fails: nothing is deleted",
    given: async (world) => {
      await tagged(world);
      world.breaks(({ kind, keys }) => kind === "put" && keys[0]?.includes("/revisions/") === true);
    },
    request: byDigest,
    status: 500,
    errors: [{ code: "UNKNOWN", detail: undefined }],
    afterwards: [
      ["GET /v2/app/manifests/<image>", 200],
      ["GET /v2/app/manifests/a", 200],
    ],
  },
  {
    rule: "A90",
    condition: "by digest: the manifest goes with every tag on it",
    given: tagged,
    request: byDigest,
    status: 202,
    answer: { "Content-Length": "0" },
    afterwards: [
      ["GET /v2/app/manifests/<image>", 404],
      ["GET /v2/app/manifests/a", 404],
      ["GET /v2/app/manifests/b", 404],
      ["GET /v2/app/tags/list", 200, onlyC],
      ["DELETE /v2/app/manifests/<image>", 404],
    ],
  },
  ...["garbage", ""].map(
    (link): Row => ({
      rule: "A91",
      condition: "by digest beside a tag link that is unreadable, and a stray file",
      given: async (world) => {
        await tagged(world);
        await world.put("repositories/app/_manifests/tags/b/current/link", link);
        await world.put("repositories/app/_manifests/tags/stray", "x");
      },
      request: byDigest,
      status: 202,
      afterwards: [["GET /v2/app/tags/list", 200, onlyC]],
      differs: { seed: "500 `UNKNOWN`, the tags dangle for ever", because: "M1, M5" },
    }),
  ),
  {
    rule: "A91",
    condition: "by digest, and one of its tags is damaged: the others go, the answer names it",
    given: async (world) => {
      await tagged(world);
      await world.put("repositories/app/_skerry/tags/b", "garbage");
    },
    request: byDigest,
    status: 500,
    errors: [partial],
    afterwards: [
      ["GET /v2/app/manifests/<image>", 404],
      ["GET /v2/app/manifests/a", 404],
    ],
    differs: { seed: "500 `UNKNOWN`, no tag is removed", because: "M5" },
  },
  {
    rule: "A92 B14",
    condition: "by digest, and one of its tags cannot be written",
    given: async (world) => {
      await tagged(world);
      world.breaks(writesTag("b"));
    },
    request: byDigest,
    status: 500,
    errors: [partial],
    answer: { "Content-Type": "application/json" },
    afterwards: [
      ["GET /v2/app/manifests/<image>", 404],
      ["GET /v2/app/manifests/a", 404],
    ],
    differs: { seed: "202 with an error as text", because: "M2" },
  },
  {
    rule: "A92 A93",
    condition: "the same again, once the bucket takes writes",
    given: async (world) => {
      await tagged(world);
      world.breaks(writesTag("b"));
      await world.expect(byDigest, 500);
      world.mend();
    },
    request: byDigest,
    status: 202,
    afterwards: [
      ["GET /v2/app/manifests/b", 404],
      ["GET /v2/app/tags/list", 200, onlyC],
      ["DELETE /v2/app/manifests/<image>", 404],
    ],
    differs: { seed: "404 `MANIFEST_UNKNOWN`, the tag dangles", because: "M1" },
  },
  {
    rule: "A90",
    condition: "a tag that has gone on to another manifest stays",
    given: async (world) => {
      await tagged(world);
      await world.push("other", world.content("other"), { reference: "b" });
    },
    request: byDigest,
    status: 202,
    afterwards: [
      ["GET /v2/app/manifests/b", 200, "<other>"],
      ["GET /v2/app/tags/list", 200, { name: "app", tags: ["b", "c"] }],
    ],
  },
  {
    rule: "A94",
    condition: "blobs, and the bytes of the manifest, are garbage collection's",
    given: tagged,
    request: byDigest,
    status: 202,
    afterwards: [
      ["GET /v2/app/blobs/<image config>", 200],
      ["GET /v2/app/blobs/<image layer>", 200],
    ],
  },
  {
    rule: "A95",
    condition: "a child of an index, and a subject",
    given: async (world) => {
      await world.image("image");
      await world.index("index", ["image"], {
        reference: "1",
        more: { subject: { digest: world.content("image").digest, mediaType: "text/x", size: 1 } },
      });
    },
    request: byDigest,
    status: 202,
    afterwards: [["GET /v2/app/manifests/1", 200, "<index>"]],
  },
  {
    rule: "A96",
    condition: "a manifest without tags",
    given: (world) => world.image("image"),
    request: byDigest,
    status: 202,
    afterwards: [["GET /v2/app/tags/list", 200, { name: "app", tags: [] }]],
  },
  {
    rule: "A90",
    condition: "a manifest that distribution wrote",
    given: (world) => world.foreign("image", { schemaVersion: 2 }),
    request: byDigest,
    status: 202,
    afterwards: [["GET /v2/app/manifests/<image>", 404]],
  },
  {
    rule: "A86",
    condition: "a manifest whose link is unreadable",
    given: (world) => world.foreign("image", { schemaVersion: 2 }, { link: "garbage" }),
    request: byDigest,
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
    differs: { seed: "500 `UNKNOWN`", because: "M5: what cannot be read leads nowhere" },
  },
  {
    rule: "A94",
    condition: "the bytes stay while another repository has the manifest",
    given: async (world) => {
      await world.image("image");
      await world.image("image", { name: "elsewhere" });
    },
    request: byDigest,
    status: 202,
    afterwards: [["GET /v2/elsewhere/manifests/<image>", 200, "<image>"]],
  },
];
