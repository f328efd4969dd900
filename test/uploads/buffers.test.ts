import { describe, expect, it } from "vitest";
import { BufferPool } from "../../src/storage/buffers.ts";
import { VirtualClock } from "../doubles/clock.ts";
import { nothingMoves } from "../doubles/rounds.ts";
import { blobOf, closeUpload, noise, type TestBlob } from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import { chunked, expectBlob, expectCreated, expectError, openUpload, patch } from "./flows.ts";

/** A body that gives one byte and then waits until it is told to end or to break. */
function heldBody() {
  let reads = 0;
  let controller: ReadableByteStreamController | undefined;
  const body = new ReadableStream({
    type: "bytes",
    start(given) {
      controller = given;
    },
    pull() {
      reads++;
    },
  });
  return {
    body,
    /** How often somebody asked for bytes. */
    reads: () => reads,
    end(bytes: Uint8Array<ArrayBuffer> = noise(1)) {
      // Enqueuing takes the memory away.
      controller?.enqueue(bytes.slice());
      controller?.close();
      controller?.byobRequest?.respond(0);
    },
    break() {
      controller?.error(new Error("the client went away"));
    },
  };
}

async function hold(client: Client) {
  const held = heldBody();
  const answer = patch(client, await openUpload(client), held.body);
  return { ...held, answer };
}

describe("the pool of buffers", () => {
  it("lets six uploads of unknown length read; the seventh waits without reading, and then goes on", async () => {
    const client = createTestRegistry({ clock: new VirtualClock() }).client();
    const { buffers } = client.registry;
    const uploads = [];
    for (let index = 0; index < 7; index++) uploads.push(await hold(client));
    await nothingMoves();
    expect(uploads.map(({ reads }) => reads() > 0)).toEqual([true, true, true, true, true, true, false]);
    expect({ taken: buffers.taken, waiting: buffers.waiting, peak: buffers.peak }).toEqual({
      taken: 6,
      waiting: 1,
      peak: 6,
    });
    const [first, ...others] = uploads;
    first?.end();
    expect((await first?.answer)?.status).toBe(202);
    await nothingMoves();
    expect(uploads[6]?.reads()).toBeGreaterThan(0);
    for (const upload of others) upload.end();
    for (const { answer } of others) expect((await answer).status).toBe(202);
    expect({ taken: buffers.taken, waiting: buffers.waiting, peak: buffers.peak }).toEqual({
      taken: 0,
      waiting: 0,
      peak: 6,
    });
  });

  it("tells who has waited for 20 seconds to come back, and loses no buffer by it", async () => {
    const clock = new VirtualClock();
    const client = createTestRegistry({ clock, config: { uploadBuffers: 1 } }).client();
    const holder = await hold(client);
    const waiter = await hold(client);
    await nothingMoves();
    clock.advance(19_999);
    await nothingMoves();
    expect(client.registry.buffers.waiting).toBe(1);
    clock.advance(1);
    waiter.end();
    const refused = await expectError(waiter.answer, 503, "TOOMANYREQUESTS");
    expect(refused.headers.get("Retry-After")).toBe("5");
    const blob = await blobOf(noise(9000));
    holder.end(blob.bytes);
    await expectCreated(closeUpload(client, await holder.answer, blob.digest), "app", blob);
    await expectBlob(client, "app", blob);
    expect(client.registry.buffers.taken).toBe(0);
  });

  it("is enough for twenty uploads at once", async () => {
    const config = { uploadBufferSize: 1000 };
    const client = createTestRegistry({ clock: new VirtualClock(), config }).client();
    const blobs = await Promise.all(
      Array.from({ length: 20 }, (_, index) => blobOf(noise(12_500, index + 1))),
    );
    const push = async (blob: TestBlob) => {
      const answer = await patch(client, await openUpload(client), chunked(blob.bytes, 300));
      return closeUpload(client, answer, blob.digest);
    };
    for (const { status } of await Promise.all(blobs.map(push))) expect(status).toBe(201);
    for (const blob of blobs) await expectBlob(client, "app", blob);
    expect(client.registry.buffers.peak).toBe(6);
    expect(client.registry.buffers.taken).toBe(0);
  });

  it("serves those who wait in their order", async () => {
    const pool = new BufferPool(1, 10, new VirtualClock());
    const order: string[] = [];
    let release = () => {};
    const first = pool.use(() => new Promise<void>((resolve) => (release = resolve)));
    const others = ["a", "b", "c"].map((name) => pool.use(async () => void order.push(name)));
    await nothingMoves();
    expect(order).toEqual([]);
    release();
    await Promise.all([first, ...others]);
    expect(order).toEqual(["a", "b", "c"]);
    expect(pool.taken).toBe(0);
  });

  it("gets a whole buffer back from an upload that broke off in the middle of a read", async () => {
    const client = createTestRegistry({ config: { uploadBuffers: 1, uploadBufferSize: 5000 } }).client();
    const broken = await hold(client);
    await nothingMoves();
    broken.break();
    await expectError(broken.answer, 499, "SIZE_INVALID");
    expect(client.registry.buffers.taken).toBe(0);
    const blob = await blobOf(noise(12_000));
    const next = await hold(client);
    next.end(blob.bytes);
    await expectCreated(closeUpload(client, await next.answer, blob.digest), "app", blob);
    await expectBlob(client, "app", blob);
    expect(client.registry.buffers.peak).toBe(1);
  });

  it("keeps its place for work that failed", async () => {
    const pool = new BufferPool(1, 10, new VirtualClock());
    await expect(pool.use(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(pool.use(async (lease) => lease.buffer.byteLength)).resolves.toBe(10);
    expect(pool.taken).toBe(0);
  });

  it("is not needed for bodies of known length", async () => {
    const client = createTestRegistry({ config: { uploadBuffers: 1 } }).client();
    const holder = await hold(client);
    for (const size of [10, 2_000_000]) {
      expect((await patch(client, await openUpload(client), noise(size))).status).toBe(202);
    }
    holder.end();
    expect((await holder.answer).status).toBe(202);
  });
});
