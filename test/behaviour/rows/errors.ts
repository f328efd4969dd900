import type { Row } from "../row.ts";

const nowhere = `sha256:${"0".repeat(64)}`;
const session = "/v2/app/blobs/uploads/02556531-b925-4953-bcf8-b7710379bab0";

/** Section H: codes that no row of another section shows, with status and message. */
export const errors: readonly Row[] = [
  {
    rule: "H",
    condition: "a blob that is not there",
    request: `GET /v2/app/blobs/${nowhere}`,
    status: 404,
    errors: [{ code: "BLOB_UNKNOWN", message: "blob unknown to registry", detail: nowhere }],
  },
  {
    rule: "H",
    condition: "an upload that is not there",
    request: `GET ${session}`,
    status: 404,
    errors: [{ code: "BLOB_UPLOAD_UNKNOWN", message: "blob upload unknown to registry" }],
  },
  {
    rule: "H",
    condition: "a digest that is malformed",
    request: "GET /v2/app/blobs/sha256:abc",
    status: 400,
    errors: [
      {
        code: "DIGEST_INVALID",
        message: "invalid digest: sha256 or sha512 in lower-case hex expected",
        detail: "sha256:abc",
      },
    ],
  },
  {
    rule: "H",
    condition: "a name that is none",
    request: "GET /v2/App/manifests/1",
    status: 400,
    errors: [{ code: "NAME_INVALID", message: "invalid repository name", detail: { name: "App" } }],
    differs: { seed: "404 as text", because: "the answer is always the JSON envelope" },
  },
  {
    rule: "H",
    condition: "an encoded slash in a name",
    request: "GET /v2/team%2Fapp/manifests/1",
    status: 400,
    errors: [{ code: "NAME_INVALID" }],
    differs: { seed: "404 as text", because: "the answer is always the JSON envelope" },
  },
  {
    rule: "H",
    condition: "the bucket fails",
    given: async (world) => {
      await world.image("image", { reference: "1" });
      world.breaks(({ store }) => store === "R2");
    },
    request: "GET /v2/app/manifests/1",
    status: 500,
    errors: [{ code: "UNKNOWN", message: "internal error", detail: undefined }],
    differs: { seed: "500 `UNKNOWN` with the text of the driver", because: "M18" },
  },
];
