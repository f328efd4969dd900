import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { internals } from "../support/answers.ts";
import { Connection, exchange, type WireResponse } from "../wire/connection.ts";
import { manifestOf, ociManifest, pushManifest } from "../wire/fixtures.ts";
import { useRegistry } from "../wire/registry.ts";

const registry = useRegistry();
const port = () => registry().port;
const name = "hostile/framing";
const body = manifestOf("framing");
const put = `PUT /v2/${name}/manifests/2 HTTP/1.1\r\nHost: registry.example\r\nContent-Type: ${ociManifest}\r\n`;

beforeAll(async () => {
  await pushManifest(port(), name, "1", body);
});

// Whatever was sent: the registry answers, holds what it held, and nothing more.
afterEach(async () => {
  const tags = await exchange(port(), "GET", `/v2/${name}/tags/list`);
  expect(JSON.parse(tags.body.toString())).toEqual({ name, tags: ["1"] });
  const catalog = await exchange(port(), "GET", "/v2/_catalog");
  expect(JSON.parse(catalog.body.toString())).toEqual({ repositories: [name] });
  const manifest = await exchange(port(), "GET", `/v2/${name}/manifests/1`);
  expect(manifest.body.toString()).toBe(body);
});

/** Sends bytes as they are; the first answer, or undefined if the connection ends without one. */
async function send(bytes: string): Promise<WireResponse | undefined> {
  const connection = await Connection.open(port());
  try {
    await connection.write(Buffer.from(bytes, "latin1"));
    return await connection.read("GET").catch(() => undefined);
  } finally {
    connection.close();
  }
}

describe("requests that are no requests", () => {
  test.each([
    ["no host", "GET /v2/ HTTP/1.1\r\n\r\n"],
    ["an empty host", "GET /v2/ HTTP/1.1\r\nHost:\r\n\r\n"],
    ["no slash", "GET v2/ HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a zero byte in the path", "GET /v2/a\0b/tags/list HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["raw bytes in the path", "GET /v2/\u00e9/tags/list HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a path of 70,000 bytes", `GET /v2/${"x".repeat(70_000)}/tags/list HTTP/1.1\r\nHost: x\r\n\r\n`],
    ["a path that leads out", "GET /v2/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an encoded path that leads out", "GET /v2/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["two slashes first", "GET //evil.example/v2/ HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a header without a name", "GET /v2/ HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n"],
    ["a header with a zero byte", "GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n"],
    ["a folded header", "GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"],
    ["a negative length", `${put}Content-Length: -1\r\n\r\n`],
    ["a length in words", `${put}Content-Length: abc\r\n\r\n`],
    ["a length that no number holds", `${put}Content-Length: 99999999999999999999\r\n\r\n`],
    ["two lengths", `${put}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`],
    ["a transfer coding that nobody knows", `${put}Transfer-Encoding: gzip\r\n\r\n`],
    ["a length beside chunks", `${put}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`],
    ["a method that only WebDAV knows", "PROPFIND /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"],
  ])("%s", async (_, bytes) => {
    const answer = await send(bytes);
    expect(answer?.status).toBeGreaterThanOrEqual(400);
    expect(answer?.status).toBeLessThan(500);
    expect(answer?.body.toString()).not.toMatch(internals);
  });

  // What these get is up to the runtime, which does not hand them to the Worker.
  test.each([
    ["a method of nobody", "NONSENSE /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a method in small letters", "get /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["OPTIONS of the server", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a host that is none", "GET /v2/ HTTP/1.1\r\nHost: <script>\r\n\r\n"],
    ["HTTP/1.0", "GET /v2/ HTTP/1.0\r\n\r\n"],
    ["HTTP/3.0", "GET /v2/ HTTP/3.0\r\nHost: x\r\n\r\n"],
    ["no protocol", "GET /v2/\r\n\r\n"],
    ["a line without an end", "GET"],
  ])("%s, and the registry lives on", async (_, bytes) => {
    const connection = await Connection.open(port());
    await connection.write(bytes);
    await connection.cut();
  });
});

describe("bodies that are not as long as announced", () => {
  const length = `Content-Length: ${body.length}\r\n\r\n`;

  test.each([
    ["one byte short", () => `${put}${length}${body.slice(0, -1)}`],
    ["cut after its head", () => `${put}${length}`],
    ["chunks without the last one", () => `${put}Transfer-Encoding: chunked\r\n\r\n5\r\n{"sch\r\n`],
    [
      "a chunk shorter than it says",
      () => `${put}Transfer-Encoding: chunked\r\n\r\nffff\r\n{"schemaVersion":2}`,
    ],
    [
      "a chunk whose length is no number",
      () => `${put}Transfer-Encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
    ],
  ])("%s: neither tag nor manifest", async (_, bytes) => {
    const connection = await Connection.open(port());
    await connection.write(bytes());
    await connection.cut();
    expect((await exchange(port(), "GET", `/v2/${name}/manifests/2`)).status).toBe(404);
  });

  test.each([
    ["within the body", () => `${put}${length}${body.slice(0, 100)}`],
    ["within a chunk", () => `${put}Transfer-Encoding: chunked\r\n\r\nffff\r\n${body.slice(0, 100)}`],
  ])("a connection that is dropped %s", async (_, bytes) => {
    const connection = await Connection.open(port());
    await connection.write(bytes());
    connection.close();
    expect((await exchange(port(), "GET", `/v2/${name}/manifests/2`)).status).toBe(404);
  });

  test("one byte longer: the manifest ends where it was said to end, and what follows is no request", async () => {
    const short = body.slice(0, -1);
    const answer = await send(`${put}Content-Length: ${short.length}\r\n\r\n${body}\r\n\r\n`);
    expect(answer?.status).toBe(400);
  });

  test("a GET with a body is answered, and the next request is too", async () => {
    const connection = await Connection.open(port());
    const get = (more: string) => `GET /v2/${name}/manifests/1 HTTP/1.1\r\nHost: x\r\n${more}`;
    await connection.write(get("Content-Length: 3\r\n\r\nabc") + get("\r\n"));
    expect((await connection.read("GET")).status).toBe(200);
    expect((await connection.read("GET")).body.toString()).toBe(body);
    connection.close();
  });
});
