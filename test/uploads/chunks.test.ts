import { describe, expect, it } from "vitest";
import { blobOf, closeUpload, expectStatus, noise } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";
import { kinds } from "./bucket.ts";
import {
  chunked,
  expectBlob,
  expectCreated,
  expectError,
  expectNoBlob,
  locationOf,
  openUpload,
  patch,
  pushInChunks,
} from "./flows.ts";

const kibibyte = 1024;

describe("chunks of any size", () => {
  it.each([
    ["one byte each", [1, 1, 1, 1, 1], 5],
    ["growing", [1, 10, 100, 1000, 10_000], 11_111],
    ["shrinking", [10_000, 1000, 100, 10, 1], 11_111],
    ["equal, the last one shorter and in the PUT", [4096, 4096, 4096], 13_000],
    ["one byte, the rest in the PUT", [1], 70_000],
    ["larger than what is hashed at once", [1500 * kibibyte, 1500 * kibibyte], 3000 * kibibyte],
  ])("%s", async (_, sizes, total) => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(noise(total));
    await expectCreated(await pushInChunks(client, "app", blob, sizes), "app", blob);
    await expectBlob(client, "app", blob);
    expect(kinds(world)).toEqual({ blobData: 1, owner: 1, layerLink: 1 });
  });

  it("bodies of unknown length, one after another", async () => {
    const client = createTestRegistry({ config: { uploadBufferSize: 4096 } }).client();
    const blob = await blobOf(noise(30_000));
    let answer = await openUpload(client);
    answer = await expectStatus(patch(client, answer, chunked(blob.bytes.slice(0, 9000), 700)), 202);
    expect(answer.headers.get("Range")).toBe("0-8999");
    answer = await expectStatus(patch(client, answer, chunked(blob.bytes.slice(9000, 9001))), 202);
    answer = await expectStatus(patch(client, answer, chunked(blob.bytes.slice(9001, 9001 + 4096))), 202);
    expect(answer.headers.get("Range")).toBe("0-13096");
    const location = new URL(locationOf(answer));
    location.searchParams.set("digest", blob.digest);
    const rest = chunked(blob.bytes.slice(13_097));
    await expectCreated(client.ask(`PUT ${location}`, { body: rest }), "app", blob);
    await expectBlob(client, "app", blob);
  });

  it("a body that fills buffers exactly", async () => {
    const client = createTestRegistry({ config: { uploadBufferSize: 4096 } }).client();
    const blob = await blobOf(noise(8192));
    const answer = await expectStatus(patch(client, await openUpload(client), chunked(blob.bytes)), 202);
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
    await expectBlob(client, "app", blob);
  });

  it("more than 40 different sizes, which no URL tells", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const sizes = Array.from({ length: 50 }, (_, index) => index + 1);
    const blob = await blobOf(noise(sizes.reduce((sum, size) => sum + size, 0)));
    await expectCreated(await pushInChunks(client, "app", blob, sizes), "app", blob);
    await expectBlob(client, "app", blob);
    expect(kinds(world)).toEqual({ blobData: 1, owner: 1, layerLink: 1 });
    const lists = world.gate.trace.filter(({ kind }) => kind === "list");
    expect(lists).toHaveLength(1);
  });

  it("a list of segments that has several pages", async () => {
    const client = createTestRegistry({ r2: { pageWithMetadata: 7 } }).client();
    const sizes = Array.from({ length: 45 }, (_, index) => index + 1);
    const blob = await blobOf(noise(sizes.reduce((sum, size) => sum + size, 0)));
    await expectCreated(await pushInChunks(client, "app", blob, sizes), "app", blob);
    await expectBlob(client, "app", blob);
  });
});

describe("Content-Range", () => {
  it.each(["0-999", "bytes 0-999", "bytes 0-999/*", "bytes 0-999/5000", "bytes=0-999"])(
    "%s is understood",
    async (range) => {
      const client = createTestRegistry().client();
      const sent = patch(client, await openUpload(client), noise(1000), { "Content-Range": range });
      expect((await expectStatus(sent, 202)).headers.get("Range")).toBe("0-999");
    },
  );

  it.each([
    ["nonsense", 400, "BLOB_UPLOAD_INVALID"],
    ["0-500", 400, "SIZE_INVALID"],
    ["0-1000", 400, "SIZE_INVALID"],
    ["999-0", 416, "BLOB_UPLOAD_INVALID"],
    ["bytes 0-999/500", 400, "BLOB_UPLOAD_INVALID"],
    ["1-1000", 416, "BLOB_UPLOAD_INVALID"],
  ])("%s for 1000 bytes at the start is refused, and the session goes on", async (range, status, code) => {
    const client = createTestRegistry().client();
    const blob = await blobOf(noise(1000));
    const started = await openUpload(client);
    await expectError(patch(client, started, blob.bytes, { "Content-Range": range }), status, code);
    const answer = await expectStatus(patch(client, started, blob.bytes), 202);
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
  });

  it.each([
    ["shorter", 900],
    ["shorter by pieces", 200_000],
    ["longer", 300_001],
    ["longer by pieces", 900_000],
    ["empty", 0],
  ])("a body of unannounced length that is %s stores nothing", async (_, size) => {
    const world = createTestRegistry();
    const client = world.client();
    const started = await openUpload(client);
    const place = { "Content-Range": "0-299999" };
    await expectError(patch(client, started, chunked(noise(size)), place), 400, "SIZE_INVALID");
    expect(kinds(world)).toEqual({});
    const blob = await blobOf(noise(300_000));
    const answer = await expectStatus(patch(client, started, chunked(blob.bytes), place), 202);
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
    await expectBlob(client, "app", blob);
  });
});

describe("chunks out of order", () => {
  const blob = noise(3000);
  it.each([
    ["ahead", 2000, 2999],
    ["overlapping", 500, 1499],
    ["the same again", 0, 999],
    ["back at the start, longer", 0, 1999],
    ["far beyond what R2 takes", 9_000_000_000_000_000, 9_000_000_000_000_999],
  ])("%s: 416 with Range and Location, and the session goes on there", async (_, start, end) => {
    const client = createTestRegistry().client();
    const started = await openUpload(client);
    const first = await patch(client, started, blob.slice(0, 1000), { "Content-Range": "0-999" });
    for (const url of [started, first]) {
      const chunk = noise(end - start + 1, 7);
      const refused = await expectError(
        patch(client, url, chunk, { "Content-Range": `${start}-${end}` }),
        416,
        "BLOB_UPLOAD_INVALID",
      );
      expect(refused.headers.get("Range")).toBe("0-999");
      const status = await expectStatus(client.ask(`GET ${locationOf(refused)}`), 204);
      expect(status.headers.get("Range")).toBe("0-999");
      const digest = (await blobOf(blob)).digest;
      const location = new URL(locationOf(url));
      location.searchParams.set("digest", digest);
      const closing = client.ask(`PUT ${location}`, {
        body: chunk,
        headers: { "Content-Range": `${start}-${end}` },
      });
      await expectError(closing, 416, "BLOB_UPLOAD_INVALID");
    }
    const whole = await blobOf(blob);
    const second = await patch(client, first, blob.slice(1000, 2000), { "Content-Range": "1000-1999" });
    await expectCreated(closeUpload(client, second, whole.digest, blob.slice(2000)), "app", whole);
    await expectBlob(client, "app", whole);
  });

  it("the next chunk is taken by an older URL if Content-Range places it", async () => {
    const client = createTestRegistry().client();
    const whole = await blobOf(blob);
    const started = await openUpload(client);
    await expectStatus(patch(client, started, blob.slice(0, 1000), { "Content-Range": "0-999" }), 202);
    await expectStatus(patch(client, started, blob.slice(1000, 2000), { "Content-Range": "1000-1999" }), 202);
    const location = new URL(locationOf(started));
    location.searchParams.set("digest", whole.digest);
    const closing = client.ask(`PUT ${location}`, {
      body: blob.slice(2000),
      headers: { "Content-Range": "2000-2999" },
    });
    await expectCreated(closing, "app", whole);
    await expectBlob(client, "app", whole);
  });

  it("a closing PUT by an older URL commits what the bucket has, not what the URL tells", async () => {
    const client = createTestRegistry().client();
    const whole = await blobOf(blob);
    const started = await openUpload(client);
    const first = await patch(client, started, blob.slice(0, 1000), { "Content-Range": "0-999" });
    const second = await patch(client, first, blob.slice(1000), { "Content-Range": "1000-2999" });
    const refused = await expectError(closeUpload(client, first, whole.digest), 416, "BLOB_UPLOAD_INVALID");
    expect(refused.headers.get("Range")).toBe("0-2999");
    await expectNoBlob(client, "app", whole);
    await expectCreated(closeUpload(client, second, whole.digest), "app", whole);
    const other = await openUpload(client);
    await expectStatus(patch(client, other, blob), 202);
    await expectCreated(closeUpload(client, other, whole.digest), "app", whole);
  });

  it("two writers at one offset: one is taken, the other is told where the upload stands", async () => {
    const world = createTestRegistry();
    const started = await openUpload(world.client("one"));
    const bodies = [noise(2_000_000, 1), noise(2_000_000, 2)];
    const answers = await Promise.all(
      bodies.map((body, index) => patch(world.client(`client ${index}`), started, body)),
    );
    const [winner] = answers.filter(({ status }) => status === 202);
    const [loser] = answers.filter(({ status }) => status === 416);
    if (winner === undefined || loser === undefined) throw new Error("not one of each");
    expect(loser.headers.get("Range")).toBe("0-1999999");
    const won = await blobOf(bodies[answers.indexOf(winner)] ?? noise(0));
    await expectCreated(closeUpload(world.client(), loser, won.digest), "app", won);
    await expectBlob(world.client(), "app", won);
  });

  it("two writers at one offset whom R2 refuses for writing too often", async () => {
    const world = createTestRegistry({ r2: { oneWritePerSecond: true } });
    const started = await openUpload(world.client("one"));
    const statuses = [];
    for (const seed of [1, 2]) {
      statuses.push((await patch(world.client(`client ${seed}`), started, noise(2_000_000, seed))).status);
    }
    expect(statuses).toEqual([202, 416]);
  });
});
