import { describe, expect, test } from "vitest";
import { blobOf, expectStatus, pushBlob, pushImage, putManifest } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

describe("names, tags and digests", () => {
  test.each([
    "a",
    "0",
    "a.b",
    "a_b",
    "a__b",
    "a-b",
    "a--b",
    "a---b/c",
    "team/app/web",
    "manifests/x",
    "x".repeat(255),
  ])("11, 12: %s is a repository name", async (name) => {
    const client = createTestRegistry().client();
    await pushImage(client, name, "1", "a");
    await expectStatus(client.ask(`GET /v2/${name}/manifests/1`), 200);
  });

  test.each(["A", "a..b", "a___b", "a._b", "-a", "a-", "a//b", "a b", "a:1", "a%2Fb", "x".repeat(256)])(
    "11: %s is not, and no upload to it is opened",
    async (name) => {
      const answer = await createTestRegistry().client().ask(`POST /v2/${name}/blobs/uploads/`);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    },
  );

  test.each(["a", "_", "A.b-c_d", "1.0", "x".repeat(128)])("14: %s is a tag", async (tag) => {
    const client = createTestRegistry().client();
    await pushImage(client, "app", tag, "a");
    await expectStatus(client.ask(`HEAD /v2/app/manifests/${tag}`), 200);
  });

  test.each([".a", "-a", "a+b", "a b", "x".repeat(129)])(
    "13, 14: %s is none: 404 to read, 400 to write",
    async (tag) => {
      const client = createTestRegistry().client();
      const image = await pushImage(client, "app", "1", "a");
      const path = encodeURIComponent(tag);
      for (const method of ["GET", "HEAD"])
        await expectStatus(client.ask(`${method} /v2/app/manifests/${path}`), 404);
      await expectStatus(putManifest(client, "app", path, image), 400);
    },
  );

  const hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

  test.each([
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}0`,
    `sha512:${hex}`,
    `SHA256:${hex}`,
    `sha256:${hex.replace("e", "g")}`,
    "md5:d41d8cd98f00b204e9800998ecf8427e",
    "sha256:",
    ":",
  ])("15, 16, 17: %s is no digest that is known: 400", async (digest) => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, "app", "1", "a");
    await expectStatus(client.ask(`GET /v2/app/blobs/${digest}`), 400);
    await expectStatus(putManifest(client, "app", digest, image), 400);
    const started = await expectStatus(client.ask("POST /v2/app/blobs/uploads/"), 202);
    const location = new URL(started.headers.get("Location") ?? "");
    location.searchParams.set("digest", digest);
    await expectStatus(client.ask(`PUT ${location}`, { body: "" }), 400);
  });

  test("18: sha512 content is kept under sha512", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf("content", "sha512");
    const answer = await expectStatus(pushBlob(client, "app", blob), 201);
    expect(answer.headers.get("Docker-Content-Digest")).toBe(blob.digest);
    await expectStatus(client.ask(`GET /v2/app/blobs/${blob.digest}`), 200);
  });
});
