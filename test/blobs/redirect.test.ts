import { describe, expect, it } from "vitest";
import { parseRepositoryName } from "../../src/oci/name.ts";
import { blobOf, expectStatus, noise, pushBlob, type TestBlob } from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";

const limit = 1000;

async function registryWith(blob: TestBlob): Promise<Client> {
  const client = createTestRegistry({ config: { blobRedirect: limit } }).client();
  await expectStatus(pushBlob(client, "app", blob), 201);
  return client;
}

describe("with BLOB_REDIRECT", () => {
  it("a GET of a large blob is redirected to the bucket, for 20 minutes", async () => {
    const blob = await blobOf(noise(limit));
    const client = await registryWith(blob);
    const answer = await expectStatus(client.ask(`GET /v2/app/blobs/${blob.digest}`), 307);
    const url = new URL(answer.headers.get("Location") ?? "");
    expect(url.origin).toBe("https://account.r2.example");
    const key = client.registry.store.layout.blobData(blob.digest);
    expect(decodeURIComponent(url.pathname)).toBe(`/skerry/${key}`);
    expect(url.searchParams.get("X-Amz-Expires")).toBe("1200");
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(answer.headers.get("Docker-Content-Digest")).toBe(blob.digest);
    expect(await answer.text()).toBe("");
  });

  it("a sha512 that leads to a sha256 is redirected to the bytes", async () => {
    const blob = await blobOf(noise(limit));
    const other = await blobOf(blob.bytes, "sha512");
    const client = await registryWith(blob);
    const { bucket, layout } = client.registry.store;
    await bucket.put(layout.layerLink(parseRepositoryName("app"), other.digest), blob.digest);
    const answer = await expectStatus(client.ask(`GET /v2/app/blobs/${other.digest}`), 307);
    expect(decodeURIComponent(answer.headers.get("Location") ?? "")).toContain(layout.blobData(blob.digest));
  });

  it.each([
    ["HEAD", "HEAD", {}, 200],
    ["a GET that the client's copy answers", "GET", { "If-None-Match": "*" }, 304],
    ["several ranges", "GET", { Range: "bytes=0-1,4-5" }, 206],
    ["a range beyond the blob", "GET", { Range: "bytes=5000-" }, 416],
    ["a range under If-Range", "GET", { Range: "bytes=0-1", "If-Range": "*" }, 200],
    ["one range", "GET", { Range: "bytes=0-1" }, 307],
  ])("%s", async (_what, method, headers, status) => {
    const blob = await blobOf(noise(limit));
    const client = await registryWith(blob);
    await expectStatus(client.ask(`${method} /v2/app/blobs/${blob.digest}`, { headers }), status);
  });

  it("a smaller blob, one of another repository, and a GET without the right stay as they are", async () => {
    const small = await blobOf(noise(limit - 1));
    const client = await registryWith(small);
    await expectStatus(client.ask(`GET /v2/app/blobs/${small.digest}`), 200);
    const world = createTestRegistry({ config: { blobRedirect: limit } });
    const large = await blobOf(noise(limit));
    await expectStatus(pushBlob(world.client(), "app", large), 201);
    await expectStatus(world.client().ask(`GET /v2/other/blobs/${large.digest}`), 404);
    const nobody = world.client("nobody", { anonymous: "none" });
    await expectStatus(nobody.ask(`GET /v2/app/blobs/${large.digest}`), 401);
  });
});
