import { describe, expect, test } from "vitest";
import { blobOf, expectStatus, noise, pushImage } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

const missing = `sha256:${"0".repeat(64)}`;

/** The codes of the specification's table; clients may not know others. */
const codes = [
  "BLOB_UNKNOWN",
  "BLOB_UPLOAD_INVALID",
  "BLOB_UPLOAD_UNKNOWN",
  "DIGEST_INVALID",
  "MANIFEST_BLOB_UNKNOWN",
  "MANIFEST_INVALID",
  "MANIFEST_UNKNOWN",
  "NAME_INVALID",
  "NAME_UNKNOWN",
  "SIZE_INVALID",
  "UNAUTHORIZED",
  "DENIED",
  "UNSUPPORTED",
  "TOOMANYREQUESTS",
];

describe("general", () => {
  test("4: GET /v2/ is 200, or 401 with a challenge for those who may do nothing", async () => {
    const registry = createTestRegistry();
    for (const path of ["/v2/", "/v2"]) {
      const answer = await expectStatus(registry.client().ask(`GET ${path}`), 200);
      expect(await answer.json()).toEqual({});
    }
    const closed = registry.client("stranger", { anonymous: "none" });
    const refused = await expectStatus(closed.ask("GET /v2/"), 401);
    expect(refused.headers.get("WWW-Authenticate")).toBeTruthy();
  });

  test("8: every answer carries Docker-Distribution-API-Version", async () => {
    const client = createTestRegistry().client();
    for (const path of ["/v2/", `/v2/app/blobs/${missing}`, "/v2/app/tags/list", "/elsewhere"]) {
      const answer = await client.ask(`GET ${path}`);
      expect(answer.headers.get("Docker-Distribution-API-Version")).toBe("registry/2.0");
    }
  });

  test("9, 10: ?ns= does not scope a pull, and so is not echoed", async () => {
    const client = createTestRegistry().client();
    await pushImage(client, "app", "1", "a");
    const answer = await expectStatus(client.ask("GET /v2/app/manifests/1?ns=docker.io"), 200);
    expect(answer.headers.get("OCI-Namespace")).toBeNull();
  });

  const refusals: readonly (readonly [request: string, status: number])[] = [
    ["GET /v2/UPPER/tags/list", 400],
    ["GET /v2/app/tags/list", 404],
    ["GET /v2/app/tags/list?n=x", 400],
    [`GET /v2/app/manifests/${missing}`, 404],
    ["GET /v2/app/manifests/sha256:bad", 400],
    ["PUT /v2/app/manifests/1", 400],
    ["POST /v2/app/manifests/1", 405],
    [`GET /v2/app/blobs/${missing}`, 404],
    ["GET /v2/app/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", 400],
    [`DELETE /v2/app/blobs/${missing}`, 404],
    ["PATCH /v2/app/blobs/uploads/02556531-b925-4953-bcf8-b7710379bab0", 404],
    ["GET /v2/app/referrers/bad", 400],
    ["GET /v2/app/nothing/here", 404],
  ];

  test.each(refusals)(
    "126, 127, 128: %s is %i in the envelope of the specification",
    async (request, status) => {
      const answer = await expectStatus(createTestRegistry().client().ask(request), status);
      expect(answer.headers.get("Content-Type")).toBe("application/json");
      const { errors } = await answer.json<{ errors: { code: string; message: string }[] }>();
      expect(errors.length).toBeGreaterThan(0);
      for (const { code, message } of errors) {
        expect(codes).toContain(code);
        expect(message).not.toBe("");
      }
    },
  );

  test("3: a category that is claimed has all its endpoints", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(noise(10));
    const endpoints: readonly (readonly [path: string, methods: string])[] = [
      ["/v2/", "GET, HEAD"],
      [`/v2/app/blobs/${blob.digest}`, "DELETE, GET, HEAD"],
      ["/v2/app/blobs/uploads/", "POST"],
      ["/v2/app/blobs/uploads/id", "DELETE, GET, HEAD, PATCH, PUT"],
      ["/v2/app/manifests/1", "DELETE, GET, HEAD, PUT"],
      ["/v2/app/tags/list", "GET, HEAD"],
      [`/v2/app/referrers/${blob.digest}`, "GET, HEAD"],
    ];
    for (const [path, methods] of endpoints) {
      const answer = await expectStatus(client.ask(`OPTIONS ${path}`), 200);
      expect([path, answer.headers.get("Allow")]).toEqual([path, methods]);
    }
  });
});
