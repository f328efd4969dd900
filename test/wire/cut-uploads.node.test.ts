import { beforeEach, describe, expect, test } from "vitest";
import { Connection, exchange, type HeaderLine } from "./connection.ts";
import { digestOf, openUpload, uniqueBytes, withDigest } from "./fixtures.ts";
import { useRegistry } from "./registry.ts";

const mebibyte = 1024 * 1024;
const logged: string[] = [];
const registry = useRegistry({ LOG: "requests" }, (message) => logged.push(message));
const port = () => registry().port;

const known = (size: number): HeaderLine => ["Content-Length", String(size)];
const chunked: HeaderLine = ["Transfer-Encoding", "chunked"];

/** A request whose client goes away in the middle. */
interface Cut {
  readonly method: string;
  readonly target: () => Promise<string>;
  readonly headers: readonly HeaderLine[];
  /** What is sent of its body. */
  readonly sent: Uint8Array;
}

const session = () => openUpload(port(), "wire/cut");
const closing = async () => withDigest(await session(), digestOf(uniqueBytes(1)));
const half = uniqueBytes(2 * mebibyte);
const few = uniqueBytes(1000);

const cuts: Readonly<Record<string, Cut>> = {
  "a PATCH that goes straight to the bucket": {
    method: "PATCH",
    target: session,
    headers: [known(4 * mebibyte)],
    sent: half,
  },
  "a PATCH that is hashed first": { method: "PATCH", target: session, headers: [known(2000)], sent: few },
  "a PATCH of unknown length": { method: "PATCH", target: session, headers: [chunked], sent: few },
  "a PATCH of unknown length whose place tells it": {
    method: "PATCH",
    target: session,
    headers: [chunked, ["Content-Range", `0-${4 * mebibyte - 1}`]],
    sent: half,
  },
  "a closing PUT": { method: "PUT", target: closing, headers: [known(4 * mebibyte)], sent: half },
  "a PUT of a manifest": {
    method: "PUT",
    target: async () => "/v2/wire/cut/manifests/latest",
    headers: [known(2000)],
    sent: few,
  },
};

beforeEach(() => {
  logged.length = 0;
});

/** What was logged of the request with this path, besides which there must be nothing of it. */
async function lineOf(method: string, target: string): Promise<Record<string, unknown>> {
  const path = target.replace(/\?.*/, "");
  const isLine = (message: string) => message.startsWith(`{"event":"request"`);
  const lines = () => logged.filter(isLine).map((message) => JSON.parse(message));
  const mine = () => lines().filter((line) => line.method === method && line.path === path);
  await expect.poll(() => mine().length, { timeout: 20_000 }).toBe(1);
  expect(logged.filter((message) => !isLine(message))).toEqual([]);
  return mine()[0];
}

describe.each([
  ["stops sending", (connection: Connection) => connection.cut()],
  ["drops the connection", async (connection: Connection) => connection.close()],
])("a client that %s", (_, leave) => {
  test.each(Object.entries(cuts))("in the middle of %s is logged in one line, as gone", async (_, cut) => {
    const target = await cut.target();
    const connection = await Connection.open(port());
    await connection.writeHead(cut.method, target, cut.headers);
    if (cut.headers.includes(chunked)) await connection.writeChunk(cut.sent);
    else await connection.write(cut.sent);
    await leave(connection);
    expect(await lineOf(cut.method, target)).toMatchObject({ status: 499, error: "SIZE_INVALID" });
  });
});

test("a client that is still there is told a wrong digest, and the log is of that", async () => {
  const target = await closing();
  const answer = await exchange(port(), "PUT", target, [["Content-Type", "application/octet-stream"]], half);
  expect(answer.status).toBe(400);
  expect(await lineOf("PUT", target)).toMatchObject({ status: 400, error: "DIGEST_INVALID" });
});
