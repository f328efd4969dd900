import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { blobOf, closeUpload, expectStatus, noise } from "../support/content.ts";
import { createClient } from "../support/registry.ts";
import {
  chunked,
  everyPush,
  expectBlob,
  expectCreated,
  expectError,
  expectNoBlob,
  locationOf,
  openUpload,
  patch,
} from "./flows.ts";

// R2's simulator takes streams of known length alone, and these streams are workerd's own: what the doubles
// cannot show.
vi.setConfig({ testTimeout: 30_000 });

const mebibyte = 1024 * 1024;
const clock = { now: () => Date.now(), sleep: async () => {} };

function connect() {
  const name = `simulators/${crypto.randomUUID()}`;
  return { client: createClient({ bucket: env.BUCKET, kv: env.TAGS, clock }), name };
}

async function segmentsOf(name: string): Promise<readonly number[]> {
  const listed = await env.BUCKET.list({ prefix: `docker/registry/v2/repositories/${name}/_uploads/` });
  return listed.objects.map(({ size }) => size);
}

describe.each(Object.entries(everyPush))("over the simulators, %s", (_, push) => {
  it.each([
    ["a small blob", 3000],
    ["a large blob", 2 * mebibyte + 17],
    ["more than two buffers", 17 * mebibyte + 1],
    ["the empty blob", 0],
  ])("stores %s", async (_kind, size) => {
    const { client, name } = connect();
    const blob = await blobOf(noise(size, 5));
    await expectCreated(push(client, name, blob), name, blob);
    await expectBlob(client, name, blob);
    expect(await segmentsOf(name)).toEqual([]);
    expect(client.registry.buffers.peak).toBeLessThanOrEqual(1);
    expect(client.registry.buffers.taken).toBe(0);
  });

  it.each([
    ["a small blob", 3000],
    ["a large blob", 2 * mebibyte + 17],
  ])("refuses %s under another digest", async (_kind, size) => {
    const { client, name } = connect();
    const claimed = await blobOf(`claimed by ${name}`);
    await expectError(
      push(client, name, { bytes: noise(size), digest: claimed.digest }),
      400,
      "DIGEST_INVALID",
    );
    await expectNoBlob(client, name, claimed);
    expect(await env.BUCKET.head(client.registry.store.layout.blobData(claimed.digest))).toBeNull();
    expect((await segmentsOf(name)).every((bytes) => bytes === 0)).toBe(true);
  });
});

describe("over the simulators, Content-Range without Content-Length", () => {
  it.each([
    ["a byte shorter", -1],
    ["a byte longer", 1],
    ["a mebibyte shorter", -mebibyte],
    ["a mebibyte longer", mebibyte],
  ])("of a body that is %s stores nothing, and the session goes on", async (_, difference) => {
    const { client, name } = connect();
    const blob = await blobOf(noise(3 * mebibyte));
    const started = await openUpload(client, name);
    const place = { "Content-Range": `0-${blob.bytes.byteLength - 1}` };
    const wrong = chunked(noise(blob.bytes.byteLength + difference));
    await expectError(patch(client, started, wrong, place), 400, "SIZE_INVALID");
    expect(await segmentsOf(name)).toEqual([]);
    const answer = await expectStatus(patch(client, started, chunked(blob.bytes), place), 202);
    await expectCreated(closeUpload(client, answer, blob.digest), name, blob);
    await expectBlob(client, name, blob);
  });
});

describe("over the simulators, two writers at one offset", () => {
  it.each([
    ["of known length", (bytes: Uint8Array<ArrayBuffer>) => bytes, {}],
    ["of unknown length", (bytes: Uint8Array<ArrayBuffer>) => chunked(bytes), {}],
    [
      "of unknown length and known place",
      (bytes: Uint8Array<ArrayBuffer>) => chunked(bytes),
      { "Content-Range": `0-${10 * mebibyte - 1}` },
    ],
  ])("%s: one is taken, the other is told where the upload stands", async (_, bodyOf, headers) => {
    const { client, name } = connect();
    const started = await openUpload(client, name);
    const blobs = await Promise.all([blobOf(noise(10 * mebibyte, 1)), blobOf(noise(10 * mebibyte, 2))]);
    const answers = await Promise.all(
      blobs.map((blob) => patch(client, started, bodyOf(blob.bytes), headers)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 416]);
    const winner = answers.findIndex(({ status }) => status === 202);
    const won = blobs[winner];
    const answer = answers[winner];
    if (won === undefined || answer === undefined) throw new Error("nobody won");
    const refused = answers[1 - winner] ?? answer;
    const status = await expectStatus(client.ask(`GET ${locationOf(refused)}`), 204);
    expect(status.headers.get("Range")).toBe(`0-${10 * mebibyte - 1}`);
    await expectCreated(closeUpload(client, answer, won.digest), name, won);
    await expectBlob(client, name, won);
  });
});

describe("over the simulators, a request without a body", () => {
  it.each([null, "", new Uint8Array(0)])("is an empty chunk: %j", async (body) => {
    const { client, name } = connect();
    const blob = await blobOf("");
    const started = await openUpload(client, name);
    const answer = await expectStatus(client.ask(`PATCH ${locationOf(started)}`, { body }), 202);
    expect(answer.headers.get("Range")).toBe("0-0");
    await expectCreated(closeUpload(client, answer, blob.digest, body), name, blob);
    await expectBlob(client, name, blob);
  });
});
