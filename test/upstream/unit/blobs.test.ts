import { describe, expect, it, vi } from "vitest";
import { faults } from "../../doubles/faults.ts";
import type { Operation } from "../../doubles/operation.ts";
import { r2Error } from "../../doubles/r2-error.ts";
import { nothingMoves } from "../../doubles/rounds.ts";
import { blobOf, expectStatus, noise, pushBlob, type TestBlob } from "../../support/content.ts";
import type { Client } from "../../support/registry.ts";
import { codesOf, createWorld, keysOf, type World } from "./world.ts";

const mebibyte = 1024 * 1024;
/** Requests that wait for each other need a clock on which waiting takes time. */
const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

interface Pushed extends TestBlob {
  readonly path: string;
}

async function push(world: World, size: number, name = "team/app"): Promise<Pushed> {
  const blob = await blobOf(noise(size, size));
  await expectStatus(pushBlob(world.origin, name, blob), 201);
  return { ...blob, path: `/v2/up/${name}/blobs/${blob.digest}` };
}

async function bytesOf(answer: Response): Promise<Uint8Array> {
  return new Uint8Array(await answer.arrayBuffer());
}

/** Pulls as a client does who reads what comes, and waits for what goes on after it. */
async function pull(client: Client, path: string, headers: HeadersInit = {}) {
  const answer = await client.fetch(`GET ${path}`, { headers });
  const bytes = await bytesOf(answer);
  return { answer, bytes };
}

function isKept(world: World, { digest }: TestBlob): Promise<boolean> {
  return keysOf(world).then((keys) => {
    const hex = digest.slice("sha256:".length);
    return keys.some((key) => key.includes("/_layers/") && key.includes(hex));
  });
}

const times = (world: World, line: string) => world.asked().filter((asked) => asked.startsWith(line)).length;

describe("the first pull of a blob", () => {
  it.each([0, 1, 70_000, 3 * mebibyte + 1])(
    "of %i bytes comes whole, and the next one from the bucket",
    async (size) => {
      const world = createWorld();
      const blob = await push(world, size);
      const { answer, bytes } = await pull(world.client, blob.path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("Content-Length")).toBe(String(size));
      expect(answer.headers.get("Docker-Content-Digest")).toBe(blob.digest);
      expect(bytes).toEqual(blob.bytes);
      await expect.poll(() => isKept(world, blob)).toBe(true);
      world.answer(() => new Response("", { status: 500 }));
      world.sent.length = 0;
      expect((await pull(world.client, blob.path)).bytes).toEqual(blob.bytes);
      expect(world.asked()).toEqual([]);
    },
  );

  it("keeps a blob that is too large for one put, in parts", async () => {
    const world = createWorld({ variables: { SINGLE_PUT_LIMIT: String(5 * mebibyte) } });
    const blob = await push(world, 9 * mebibyte);
    expect((await pull(world.client, blob.path)).bytes).toEqual(blob.bytes);
    await expect.poll(() => isKept(world, blob)).toBe(true);
    expect((await pull(world.client, blob.path)).bytes).toEqual(blob.bytes);
    expect(times(world, "GET")).toBe(1);
  });

  it("asks for the upstream's word, and no bytes, where another repository has brought them", async () => {
    const world = createWorld();
    const blob = await push(world, 70_000);
    await pull(world.client, blob.path);
    await expect.poll(() => isKept(world, blob)).toBe(true);
    world.sent.length = 0;
    const stranger = blob.path.replace("team/app", "team/other");
    const refused = await world.client.ask(`GET ${stranger}`);
    expect([refused.status, await codesOf(refused)]).toEqual([404, ["BLOB_UNKNOWN"]]);
    await push(world, 70_000, "team/other");
    expect((await pull(world.client, stranger)).bytes).toEqual(blob.bytes);
    expect(times(world, "GET")).toBe(0);
    expect(times(world, "HEAD")).toBe(2);
  });

  it.each([
    ["other bytes", (blob: TestBlob) => changed(blob.bytes), true],
    ["more bytes than announced", (blob: TestBlob) => new Uint8Array([...blob.bytes, 0]), true],
    ["fewer bytes than announced", (blob: TestBlob) => blob.bytes.slice(1), true],
    ["other bytes, of no length", (blob: TestBlob) => changed(blob.bytes), false],
  ])("of %s breaks off, and keeps nothing", async (_, body, isSized) => {
    const world = createWorld();
    const blob = await push(world, mebibyte);
    world.answer(() => {
      const headers = isSized ? { "Content-Length": String(blob.bytes.byteLength) } : undefined;
      return new Response(unsized(body(blob)), headers && { headers });
    });
    const answer = await world.client.fetch(`GET ${blob.path}`);
    await expect(bytesOf(answer)).rejects.toThrow();
    expect(await isKept(world, blob)).toBe(false);
    expect((await keysOf(world)).filter((key) => key.endsWith("/data"))).toEqual([]);
    world.answer(undefined);
    expect((await pull(world.client, blob.path)).bytes).toEqual(blob.bytes);
  });

  it("of a length that nobody says is handed on, and not kept", async () => {
    const world = createWorld();
    const blob = await push(world, mebibyte);
    world.answer(() => new Response(unsized(blob.bytes)));
    const { answer, bytes } = await pull(world.client, blob.path);
    expect(answer.headers.has("Content-Length")).toBe(false);
    expect(bytes).toEqual(blob.bytes);
    expect(await isKept(world, blob)).toBe(false);
  });

  it.each(["owners", "/data", "/_layers/"])(
    "reaches the client though the bucket refuses %s",
    async (part) => {
      const world = createWorld();
      const blob = await push(world, mebibyte);
      const refused = ({ kind, keys }: Operation) => kind === "put" && keys.some((key) => key.includes(part));
      world.edge.gate.policy = faults([{ matching: refused, when: "before" }]);
      expect((await pull(world.client, blob.path)).bytes).toEqual(blob.bytes);
      expect(await isKept(world, blob)).toBe(false);
    },
  );

  it("reaches the client though the bucket refuses the bytes unread", async () => {
    const world = createWorld();
    const blob = await push(world, 3 * mebibyte);
    const bucket = world.edge.r2.actor("edge");
    const put = bucket.put.bind(bucket);
    vi.spyOn(bucket, "put").mockImplementation(async (key, ...rest) => {
      if (key.endsWith("/data")) throw r2Error("put", 10001);
      return Reflect.apply(put, bucket, [key, ...rest]);
    });
    expect((await pull(world.client, blob.path)).bytes).toEqual(blob.bytes);
    expect(await isKept(world, blob)).toBe(false);
  });

  it.each([
    [404, 404, "BLOB_UNKNOWN"],
    [401, 401, "UNAUTHORIZED"],
    [403, 403, "DENIED"],
    [429, 429, "TOOMANYREQUESTS"],
    [503, 502, "UNKNOWN"],
    [206, 502, "UNKNOWN"],
  ])("that the upstream answers by %i is answered by %i %s", async (status, expected, code) => {
    const world = createWorld();
    const blob = await push(world, 10);
    world.answer(() => new Response("", { status }));
    const answer = await world.client.ask(`GET ${blob.path}`);
    expect([answer.status, await codesOf(answer)]).toEqual([expected, [code]]);
  });
});

describe("what is asked of a blob that is not here", () => {
  it("is no more than its size, for HEAD and for who has it", async () => {
    const world = createWorld();
    const blob = await push(world, 70_000);
    const head = await world.client.ask(`HEAD ${blob.path}`);
    expect([head.status, head.headers.get("Content-Length")]).toEqual([200, "70000"]);
    const same = await world.client.ask(`GET ${blob.path}`, {
      headers: { "If-None-Match": `"${blob.digest}"` },
    });
    expect(same.status).toBe(304);
    expect(times(world, "GET")).toBe(0);
    expect(await isKept(world, blob)).toBe(false);
  });

  it.each([
    ["bytes=10-19", "bytes 10-19/70000", 10, 20],
    ["bytes=69990-", "bytes 69990-69999/70000", 69_990, 70_000],
    ["bytes=-5", "bytes 69995-69999/70000", 69_995, 70_000],
  ])("is the part that %s says", async (range, place, from, to) => {
    const world = createWorld();
    const blob = await push(world, 70_000);
    const { answer, bytes } = await pull(world.client, blob.path, { Range: range });
    expect([answer.status, answer.headers.get("Content-Range")]).toEqual([206, place]);
    expect(answer.headers.get("Content-Length")).toBe(String(to - from));
    expect(bytes).toEqual(blob.bytes.slice(from, to));
    expect(await isKept(world, blob)).toBe(false);
  });

  it("is no part that lies outside", async () => {
    const world = createWorld();
    const blob = await push(world, 70_000);
    const answer = await world.client.ask(`GET ${blob.path}`, { headers: { Range: "bytes=70000-" } });
    expect([answer.status, answer.headers.get("Content-Range")]).toEqual([416, "bytes */70000"]);
  });

  it("is the whole where the upstream serves no ranges, or several are wanted", async () => {
    const world = createWorld();
    const blob = await push(world, 70_000);
    const several = await pull(world.client, blob.path, { Range: "bytes=1-2,5-6" });
    expect([several.answer.status, several.bytes.byteLength]).toEqual([200, 70_000]);
    const other = await push(world, 70_001);
    world.answer(({ method }) =>
      method === "GET"
        ? new Response(other.bytes, { headers: { "Content-Length": String(other.bytes.byteLength) } })
        : undefined,
    );
    const { answer, bytes } = await pull(world.client, other.path, { Range: "bytes=1-2" });
    expect([answer.status, bytes]).toEqual([200, other.bytes]);
  });
});

describe("clients who come together", () => {
  it("wait for one download", async () => {
    const world = createWorld({ clock });
    const blob = await push(world, 2 * mebibyte);
    const answers = await Promise.all(Array.from({ length: 20 }, () => pull(world.client, blob.path)));
    for (const { bytes } of answers) expectSame(bytes, blob.bytes);
    expect(times(world, "GET")).toBe(1);
  });

  it("wait for the next download, one of theirs, if the first one breaks off", async () => {
    const world = createWorld({ clock });
    const blob = await push(world, 2 * mebibyte);
    world.answer(() => {
      world.answer(undefined);
      const headers = { "Content-Length": String(blob.bytes.byteLength) };
      return new Response(unsized(blob.bytes.slice(0, mebibyte)), { headers });
    });
    const pulls = Array.from({ length: 20 }, () => pull(world.client, blob.path));
    const settled = await Promise.allSettled(pulls);
    expect(settled.filter(({ status }) => status === "rejected")).toHaveLength(1);
    for (const each of settled) if (each.status === "fulfilled") expectSame(each.value.bytes, blob.bytes);
    expect(times(world, "GET")).toBe(2);
  });

  it("go to the upstream themselves after half a minute of another one's download", async () => {
    let now = Date.now();
    let next = () => {};
    const blob = await blobOf(noise(4 * mebibyte, 4));
    const second = 1000;
    const world = createWorld({
      clock: {
        now: () => now,
        // With each look of the one who waits, a second goes by and a piece comes to the other one.
        async sleep() {
          now += second;
          next();
          await nothingMoves();
        },
      },
    });
    await expectStatus(pushBlob(world.origin, "team/app", blob), 201);
    const path = `/v2/up/team/app/blobs/${blob.digest}`;
    const { readable, writable } = new IdentityTransformStream();
    world.answer(() => {
      world.answer(undefined);
      return new Response(readable, { headers: { "Content-Length": String(blob.bytes.byteLength) } });
    });
    const writer = writable.getWriter();
    const pieces = 64;
    const piece = blob.bytes.byteLength / pieces;
    let given = 0;
    next = () => {
      if (given < pieces) void writer.write(blob.bytes.slice(given * piece, ++given * piece));
    };
    const first = pull(world.client, path);
    await nothingMoves();
    const came = now;
    expectSame((await pull(world.client, path)).bytes, blob.bytes);
    expect(now - came).toBe(30 * second);
    expect(times(world, "GET")).toBe(2);
    while (given < pieces) {
      next();
      await nothingMoves();
    }
    await writer.close();
    expectSame((await first).bytes, blob.bytes);
    await expect.poll(() => isKept(world, blob)).toBe(true);
  });

  it("do not wait for one who does not read on, and he gets the rest when he does", async () => {
    const world = createWorld({ clock });
    const blob = await push(world, 3 * mebibyte);
    const slow = await world.client.fetch(`GET ${blob.path}`);
    expectSame((await pull(world.client, blob.path)).bytes, blob.bytes);
    expectSame(await bytesOf(slow), blob.bytes);
    expect(times(world, "GET")).toBe(1);
  });

  it("do not lose it to one who hangs up", async () => {
    const world = createWorld({ clock });
    const blob = await push(world, 3 * mebibyte);
    const gone = await world.client.fetch(`GET ${blob.path}`);
    await gone.body?.cancel();
    expectSame((await pull(world.client, blob.path)).bytes, blob.bytes);
    expect(times(world, "GET")).toBe(1);
  });
});

/** As toEqual, which takes its time over megabytes. */
function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.from(bytes).equals(expected)).toBe(true);
}

function changed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const other = bytes.slice();
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
  return other;
}

/** A body of which nobody knows the length. */
function unsized(bytes: Uint8Array<ArrayBuffer>): ReadableStream {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const write = async () => {
    await writer.write(bytes);
    await writer.close();
  };
  write().catch(() => undefined);
  return readable;
}
