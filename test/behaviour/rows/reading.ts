import { ociManifest } from "../../../src/oci/media-type.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const nowhere = `sha256:${"0".repeat(64)}`;
const sha512 = `sha512:${"0".repeat(128)}`;
const tagged = (world: World) => world.image("image", { reference: "1" });

/** References that are no digest, although a colon is in them. */
const noDigests = [
  "md5:d41d8cd98f00b204e9800998ecf8427e",
  "sha256:abc",
  `sha256:${"A".repeat(64)}`,
  `sha384:${"0".repeat(96)}`,
];

function revalidated(condition: string, rule: string, ifNoneMatch: string, differs: Row["differs"]): Row {
  return {
    rule,
    condition,
    given: tagged,
    request: "GET /v2/app/manifests/1",
    headers: { "If-None-Match": ifNoneMatch },
    status: 304,
    answer: { ETag: '"<image>"', "Docker-Content-Digest": "<image>", Vary: "Accept" },
    ...(differs !== undefined && { differs }),
  };
}

const withoutHeaders = { seed: "304 without ETag and digest", because: "M10" };
const notMatched = { seed: "200", because: "M10" };

/** A.1, A20 to A25, A40, A41: GET and HEAD of manifests. */
export const reading: readonly Row[] = [
  ...["1", "<image>"].map(
    (reference): Row => ({
      rule: "A1 A40",
      condition: "by tag and by digest: the stored bytes",
      given: tagged,
      request: `GET /v2/app/manifests/${reference}`,
      status: 200,
      content: "<image>",
      answer: {
        "Content-Type": ociManifest,
        "Docker-Content-Digest": "<image>",
        ETag: '"<image>"',
        Vary: "Accept",
        "Cache-Control":
          reference === "1" ? "no-cache, no-transform" : "max-age=31536000, immutable, no-transform",
      },
      differs: { seed: "200 without Vary and Cache-Control", because: "M8" },
    }),
  ),
  {
    rule: "A40",
    condition: "Range is ignored",
    given: tagged,
    request: "GET /v2/app/manifests/1",
    headers: { Range: "bytes=0-1" },
    status: 200,
    content: "<image>",
    answer: { "Accept-Ranges": null },
  },
  {
    rule: "A41",
    condition: "HEAD",
    given: tagged,
    request: "HEAD /v2/app/manifests/1",
    status: 200,
    answer: { "Content-Type": ociManifest, "Docker-Content-Digest": "<image>", ETag: '"<image>"' },
  },
  ...["GET", "DELETE", "PUT"].flatMap((method) =>
    noDigests.map(
      (reference): Row => ({
        rule: "A2",
        condition: "a colon, but no digest that is verified",
        request: `${method} /v2/app/manifests/${reference}`,
        ...(method === "PUT" && { body: "{}" }),
        status: 400,
        errors: [{ code: "DIGEST_INVALID" }],
        differs: { seed: "500 `UNKNOWN`", because: "M7" },
      }),
    ),
  ),
  {
    rule: "A3",
    condition: "a sha512 digest that is not there",
    request: `GET /v2/app/manifests/${sha512}`,
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
  },
  {
    rule: "A3",
    condition: "a manifest pushed under its sha512 digest",
    given: (world) => world.image("image", { algorithm: "sha512" }),
    request: "GET /v2/app/manifests/<image>",
    status: 200,
    content: "<image>",
    answer: { "Docker-Content-Digest": "<image>" },
    differs: { seed: "404: the push is refused", because: "OCI 18" },
  },
  {
    rule: "A20",
    condition: "a tag that is not there",
    given: tagged,
    request: "GET /v2/app/manifests/2",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN", detail: "unknown tag=2" }],
  },
  {
    rule: "A20",
    condition: "a repository that is not there",
    request: "GET /v2/other/manifests/1",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN", detail: "unknown tag=1" }],
  },
  {
    rule: "A20",
    condition: "what can be neither tag nor digest",
    request: "GET /v2/app/manifests/-1",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN", detail: "unknown tag=-1" }],
    differs: { seed: "404 as text", because: "the answer is always the JSON envelope" },
  },
  revalidated("If-None-Match has the digest in quotes", "A22", '"<image>"', withoutHeaders),
  revalidated("If-None-Match has the bare digest", "A22", "<image>", withoutHeaders),
  revalidated("If-None-Match is `*`", "A23", "*", notMatched),
  revalidated("If-None-Match is a list", "A23", '"other", "<image>"', notMatched),
  revalidated("If-None-Match is weak", "A23", 'W/"<image>"', notMatched),
  {
    rule: "A22",
    condition: "If-None-Match has another digest",
    given: tagged,
    request: "GET /v2/app/manifests/1",
    headers: { "If-None-Match": `"${nowhere}"` },
    status: 200,
    content: "<image>",
  },
  {
    rule: "A24",
    condition: "If-None-Match has the digest that is asked for, and is not there",
    request: `GET /v2/app/manifests/${nowhere}`,
    headers: { "If-None-Match": `"${nowhere}"` },
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
    differs: { seed: "304", because: "M10" },
  },
  {
    rule: "A24",
    condition: "If-None-Match has the digest, Accept leaves the type out",
    given: tagged,
    request: "GET /v2/app/manifests/<image>",
    headers: { "If-None-Match": '"<image>"', Accept: "text/html" },
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
    differs: { seed: "304", because: "M10" },
  },
  {
    rule: "A25",
    condition: "a digest that is not there",
    given: tagged,
    request: `GET /v2/app/manifests/${nowhere}`,
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN", detail: `unknown manifest name=app revision=${nowhere}` }],
  },
  {
    rule: "A25",
    condition: "a manifest of another repository",
    given: tagged,
    request: "GET /v2/other/manifests/<image>",
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
  },
];
