import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import { blobOf, closeUpload, expectStatus, noise, pushBlob } from "../support/content.ts";
import { createClient, createTestRegistry } from "../support/registry.ts";
import { expectSound, kinds, segments } from "./bucket.ts";
import { chunked, expectBlob, expectCreated, expectError, expectNoBlob, openUpload, patch } from "./flows.ts";

vi.setConfig({ testTimeout: 30_000 });

const mebibyte = 1024 * 1024;
const limit = 5 * mebibyte;
const clock = { now: () => Date.now(), sleep: async () => {} };
const bytes = noise(9 * mebibyte + 5);
const config = { singlePutLimit: limit };

/** The ways to push a blob that is larger than one put may be. */
const flows = {
  "POST+PUT": async (client: ReturnType<typeof createClient>, digest: string, name: string) =>
    closeUpload(client, await openUpload(client, name), digest, bytes),
  "POST+PATCH+PUT": async (client: ReturnType<typeof createClient>, digest: string, name: string) =>
    closeUpload(client, await patch(client, await openUpload(client, name), bytes), digest),
  "POST+PATCH+PUT in chunks": async (client: ReturnType<typeof createClient>, digest: string, name: string) =>
    closeUpload(
      client,
      await patch(client, await openUpload(client, name), chunked(bytes, mebibyte)),
      digest,
    ),
} as const;

describe.each(Object.entries(flows))("a blob over one put's limit, by %s", (_, flow) => {
  it.each(["sha256", "sha512"] as const)("is stored under its %s", async (algorithm) => {
    const world = createTestRegistry({ config });
    const client = world.client();
    const blob = await blobOf(bytes, algorithm);
    await expectCreated(flow(client, blob.digest, "app"), "app", blob);
    await expectBlob(client, "app", blob);
    expect(kinds(world)).toEqual({ blobData: 1, owner: 1, layerLink: 1 });
    expect(world.gate.trace.filter(({ kind }) => kind === "uploadPart")).toHaveLength(2);
    expectSound(world);
  });

  it("under another digest: nothing is stored, and the multipart upload is aborted", async () => {
    const world = createTestRegistry({ config });
    const client = world.client();
    const claimed = await blobOf("something else");
    await expectError(flow(client, claimed.digest, "app"), 400, "DIGEST_INVALID");
    await expectNoBlob(client, "app", claimed);
    expect(kinds(world)).not.toHaveProperty("blobData");
    expect(world.gate.trace.filter(({ kind }) => kind === "abort")).toHaveLength(1);
    expect(segments(world).every((segment) => segment.bytes.byteLength === 0)).toBe(true);
    expectSound(world);
  });

  it("that another repository has is shown once more, in parts as well", async () => {
    const world = createTestRegistry({ config });
    const client = world.client();
    const blob = await blobOf(bytes);
    await expectStatus(pushBlob(client, "other", blob), 201);
    const claimed = flow(client, blob.digest, "app");
    await expectCreated(claimed, "app", blob);
    expect(kinds(world)).toEqual({ blobData: 1, owner: 2, layerLink: 2 });
    const secret = await blobOf(noise(6 * mebibyte, 3));
    await expectStatus(pushBlob(client, "other", secret), 201);
    await expectError(flow(client, secret.digest, "app"), 400, "DIGEST_INVALID");
    await expectNoBlob(client, "app", secret);
    await expectBlob(client, "other", secret);
  });

  it.each(["createMultipartUpload", "uploadPart", "complete", "abort"] as const)(
    "while R2 fails at %s: a 5xx, and a retry succeeds",
    async (kind) => {
      for (const when of ["before", "after"] as const) {
        const world = createTestRegistry({ config });
        const client = world.client();
        const blob = await blobOf(bytes);
        const wrong = kind === "abort" ? (await blobOf("something else")).digest : blob.digest;
        world.gate.policy = faults([{ when, times: 1, matching: (operation) => operation.kind === kind }]);
        const answer = await flow(client, wrong, "app");
        expect(answer.status).toBe(kind === "abort" ? 400 : 500);
        world.gate.policy = immediate;
        await expectCreated(flow(client, blob.digest, "app"), "app", blob);
        await expectBlob(client, "app", blob);
      }
    },
  );

  it("over the real simulator", async () => {
    const client = createClient({ bucket: env.BUCKET, kv: env.TAGS, clock }, config);
    const blob = await blobOf(bytes);
    const name = `parts/${crypto.randomUUID()}`;
    await expectCreated(flow(client, blob.digest, name), name, blob);
    await expectBlob(client, name, blob);
    const claimed = await blobOf("never stored");
    await expectError(flow(client, claimed.digest, name), 400, "DIGEST_INVALID");
    await expectNoBlob(client, name, claimed);
    const { layout } = client.registry.store;
    expect(await env.BUCKET.head(layout.blobData(claimed.digest))).toBeNull();
    await env.BUCKET.delete(layout.blobData(blob.digest));
  });
});
