import { describe, expect, it } from "vitest";
import { blobOf, closeUpload, expectStatus, noise, type TestBlob } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";
import { expectSound, kinds, segments } from "./bucket.ts";
import {
  everyPush,
  expectBlob,
  expectCreated,
  expectError,
  expectNoBlob,
  locationOf,
  openUpload,
  patch,
} from "./flows.ts";

const small = noise(3000);
const large = noise(2_500_000);

describe.each(Object.entries(everyPush))("%s", (_, flow) => {
  it.each([
    ["a small blob", small],
    ["a large blob", large],
    ["the empty blob", new Uint8Array(0)],
  ])("stores %s", async (_kind, bytes) => {
    const world = createTestRegistry({ config: { uploadBufferSize: 1_000_000 } });
    const client = world.client();
    const blob = await blobOf(bytes);
    await expectCreated(flow(client, "app", blob), "app", blob);
    await expectBlob(client, "app", blob);
    expectSound(world);
    expect(kinds(world)).toMatchObject({ owner: 1, layerLink: 1 });
    expect(segments(world)).toEqual([]);
  });

  it.each([
    ["a small blob", small],
    ["a large blob", large],
  ])("stores %s that another repository has", async (_kind, bytes) => {
    const world = createTestRegistry({ config: { uploadBufferSize: 1_000_000 } });
    const client = world.client();
    const blob = await blobOf(bytes);
    await expectStatus(
      client.ask(`POST /v2/other/blobs/uploads/?digest=${blob.digest}`, { body: bytes }),
      201,
    );
    await expectNoBlob(client, "app", blob);
    await expectCreated(flow(client, "app", blob), "app", blob);
    await expectBlob(client, "app", blob);
    expectSound(world);
    expect(kinds(world)).toMatchObject({ owner: 2, layerLink: 2 });
    expect(segments(world)).toEqual([]);
  });

  it.each([
    ["a small blob", small],
    ["a large blob", large],
  ])("refuses %s under another digest, and nothing is stored", async (_kind, bytes) => {
    const world = createTestRegistry({ config: { uploadBufferSize: 1_000_000 } });
    const client = world.client();
    const claimed = await blobOf("something else");
    await expectError(flow(client, "app", { bytes, digest: claimed.digest }), 400, "DIGEST_INVALID");
    await expectNoBlob(client, "app", claimed);
    expectSound(world);
    expect(kinds(world)).not.toHaveProperty("layerLink");
    expect(segments(world).every(({ bytes }) => bytes.byteLength === 0)).toBe(true);
  });

  it("gives nobody a blob that another repository has and whose bytes he has not", async () => {
    const client = createTestRegistry({ config: { uploadBufferSize: 1_000_000 } }).client();
    const secret = await blobOf(noise(1_100_000, 9));
    await expectStatus(
      client.ask(`POST /v2/other/blobs/uploads/?digest=${secret.digest}`, { body: secret.bytes }),
      201,
    );
    for (const bytes of [small, large]) {
      await expectError(flow(client, "app", { bytes, digest: secret.digest }), 400, "DIGEST_INVALID");
    }
    await expectNoBlob(client, "app", secret);
    await expectBlob(client, "other", secret);
  });

  it.each(["", "?digest-algorithm=sha512", "?digest-algorithm=sha256"])(
    "stores a blob under sha512, announced as '%s'",
    async (query) => {
      const client = createTestRegistry({ config: { uploadBufferSize: 1_000_000 } }).client();
      for (const bytes of [small, large]) {
        const blob = await blobOf(bytes, "sha512");
        await expectCreated(flow(client, "app", blob, query), "app", blob);
        await expectBlob(client, "app", blob);
      }
    },
  );

  it.each(["sha256:short", "sha256:", "md5:d41d8cd98f00b204e9800998ecf8427e", `sha256:${"A".repeat(64)}`])(
    "refuses the digest %s",
    async (digest) => {
      const client = createTestRegistry().client();
      const blob = { bytes: small, digest } as unknown as TestBlob;
      await expectError(flow(client, "app", blob), 400, "DIGEST_INVALID");
    },
  );
});

describe("digests", () => {
  it("a closing PUT without one is a 400, and the session goes on", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(small);
    const answer = await patch(client, await openUpload(client), small);
    await expectError(client.ask(`PUT ${locationOf(answer)}`), 400, "DIGEST_INVALID");
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
  });

  it("an algorithm that Skerry does not verify is refused when the upload begins", async () => {
    const client = createTestRegistry().client();
    await expectError(
      client.ask("POST /v2/app/blobs/uploads/?digest-algorithm=blake3"),
      400,
      "DIGEST_INVALID",
    );
  });

  it("an announced sha512 spares the closing PUT a second pass", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(small, "sha512");
    const started = await openUpload(client, "app", "?digest-algorithm=sha512");
    const answer = await patch(client, started, small);
    const before = world.gate.trace.length;
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
    const key = world.client().registry.store.layout.blobData(blob.digest);
    const touched = world.gate.trace.slice(before).filter(({ keys }) => keys.includes(key));
    expect(touched.map(({ kind }) => kind)).toEqual(["head"]);
  });

  it("a POST with a digest and no body begins a session", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(small);
    const started = await openUpload(client, "app", `?digest=${blob.digest}`);
    await expectCreated(closeUpload(client, started, blob.digest, small), "app", blob);
  });
});
