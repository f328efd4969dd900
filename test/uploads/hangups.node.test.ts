import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { Connection, exchange, exchangeChunked } from "../wire/connection.ts";
import {
  digestOf,
  octetStream,
  openUpload,
  pushBlob,
  targetOf,
  uniqueBytes,
  withDigest,
} from "../wire/fixtures.ts";
import { useRegistry } from "../wire/registry.ts";

// One buffer for bodies of unknown length: whoever takes it with him is missed at once.
const registry = useRegistry({ UPLOAD_BUFFERS: "1" });
const port = () => registry().port;
const mebibyte = 1024 * 1024;

/** A PATCH in chunks whose first byte was sent. It can be torn down as a client that dies does it: by a reset. */
async function openPatch(name: string): Promise<Socket> {
  const target = await openUpload(port(), name);
  const socket = connect({ port: port(), host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.on("error", () => {});
  const head = [`PATCH ${target} HTTP/1.1`, `Host: 127.0.0.1:${port()}`, "Transfer-Encoding: chunked"];
  socket.write(`${[...head, "Expect: 100-continue"].join("\r\n")}\r\n\r\n`);
  return socket;
}

/** Resolves when the server asks for the body: from then on it holds the buffer. */
async function isRead(socket: Socket): Promise<void> {
  const [data] = (await once(socket, "data")) as [Buffer];
  expect(data.toString("latin1")).toMatch(/^HTTP\/1\.1 100 /);
  socket.write("1\r\nx\r\n");
}

/** An answer to another request: by then the server has seen what was sent before. */
async function roundTrip(): Promise<void> {
  expect((await exchange(port(), "GET", "/v2/")).status).toBe(200);
}

async function pushChunked(name: string, bytes: Buffer): Promise<number> {
  const target = await openUpload(port(), name);
  const patched = await exchangeChunked(port(), "PATCH", target, [], [bytes]);
  if (patched.status !== 202) return patched.status;
  const closing = withDigest(targetOf(patched.header("Location")), digestOf(bytes));
  return (await exchange(port(), "PUT", closing, [octetStream])).status;
}

describe("the only buffer", () => {
  test("is waited for by another request, which then goes on", async () => {
    const holder = await openPatch("hangups/holder");
    await isRead(holder);
    const waiting = pushChunked("hangups/waiter", uniqueBytes(100_000));
    await roundTrip();
    holder.write("0\r\n\r\n");
    const [answer] = (await once(holder, "data")) as [Buffer];
    expect(answer.toString("latin1")).toMatch(/^HTTP\/1\.1 202 /);
    holder.destroy();
    expect(await waiting).toBe(201);
  });

  test("comes back from a client that dies while it sends", async () => {
    const holder = await openPatch("hangups/dying");
    await isRead(holder);
    holder.resetAndDestroy();
    expect(await pushChunked("hangups/after", uniqueBytes(9 * mebibyte))).toBe(201);
  });

  test("is not lost to a client that dies while it waits", async () => {
    const holder = await openPatch("hangups/holder");
    await isRead(holder);
    const waiter = await openPatch("hangups/waiter");
    await roundTrip();
    waiter.resetAndDestroy();
    await roundTrip();
    holder.resetAndDestroy();
    expect(await pushChunked("hangups/after", uniqueBytes(100_000))).toBe(201);
  });

  test("comes back from a client that dies while its segment is stored", async () => {
    const holder = await openPatch("hangups/storing");
    await isRead(holder);
    const bytes = uniqueBytes(8 * mebibyte);
    holder.write(`${bytes.length.toString(16)}\r\n`);
    await new Promise((resolve) => holder.write(bytes, resolve));
    holder.resetAndDestroy();
    expect(await pushChunked("hangups/after", uniqueBytes(100_000))).toBe(201);
  });
});

describe("a request with neither Content-Length nor Transfer-Encoding", () => {
  test("has no body: an empty chunk, and a closing PUT of what is there", async () => {
    const bytes = uniqueBytes(1000);
    const target = await openUpload(port(), "hangups/bare");
    const connection = await Connection.open(port());
    await connection.writeHead("PATCH", target);
    const empty = await connection.read("PATCH");
    expect([empty.status, empty.header("Range")]).toEqual([202, "0-0"]);
    const patched = await exchange(port(), "PATCH", targetOf(empty.header("Location")), [], bytes);
    await connection.writeHead("PUT", withDigest(targetOf(patched.header("Location")), digestOf(bytes)));
    expect((await connection.read("PUT")).status).toBe(201);
    connection.close();
  });
});

describe("a blob in several ranges", () => {
  const ranges = ["Range", `bytes=0-${3 * mebibyte},100-199,${4 * mebibyte}-`] as const;

  test("has the length that it announces", async () => {
    const bytes = uniqueBytes(8 * mebibyte);
    const digest = await pushBlob(port(), "hangups/ranges", bytes);
    const answer = await exchange(port(), "GET", `/v2/hangups/ranges/blobs/${digest}`, [ranges]);
    expect(answer.status).toBe(206);
    expect(answer.body.length).toBe(Number(answer.header("Content-Length")));
    expect(answer.body.includes(bytes.subarray(0, 3 * mebibyte + 1))).toBe(true);
    expect(answer.body.includes(bytes.subarray(4 * mebibyte))).toBe(true);
  });

  test("may be left in the middle, and asked for again", async () => {
    const bytes = uniqueBytes(8 * mebibyte);
    const digest = await pushBlob(port(), "hangups/ranges", bytes);
    const target = `/v2/hangups/ranges/blobs/${digest}`;
    for (let time = 0; time < 3; time++) {
      const socket = connect({ port: port(), host: "127.0.0.1" });
      socket.write(`GET ${target} HTTP/1.1\r\nHost: registry\r\n${ranges.join(": ")}\r\n\r\n`);
      const [data] = (await once(socket, "data")) as [Buffer];
      expect(data.toString("latin1")).toMatch(/^HTTP\/1\.1 206 /);
      socket.resetAndDestroy();
    }
    expect((await exchange(port(), "GET", target, [ranges])).status).toBe(206);
  });
});
