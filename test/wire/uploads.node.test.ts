import { describe, expect, test } from "vitest";
import { Connection, exchange, exchangeChunked, type HeaderLine, type WireResponse } from "./connection.ts";
import {
  digestOf,
  octetStream,
  openUpload,
  pushBlob,
  targetOf,
  uniqueBytes,
  withDigest,
} from "./fixtures.ts";
import { useRegistry } from "./registry.ts";

const registry = useRegistry();
const port = () => registry().port;
const mebibyte = 1024 * 1024;

function errorCode(response: WireResponse): string {
  return JSON.parse(response.body.toString()).errors[0].code;
}

/** What every answer to an accepted part of an upload says: where to go on, and how much is stored. */
function expectAccepted(response: WireResponse, name: string, stored: number): string {
  expect(response.status).toBe(202);
  expect(response.header("Content-Length")).toBe("0");
  // docker scans this with "%d-%d": a unit in front of it fails the push.
  expect(response.header("Range")).toBe(`0-${Math.max(stored - 1, 0)}`);
  const location = new URL(response.header("Location") ?? "");
  expect(location.origin).toBe(`http://127.0.0.1:${port()}`);
  expect(location.pathname).toMatch(new RegExp(`^/v2/${name}/blobs/uploads/[^/]+$`));
  return targetOf(location.href);
}

/** What every answer to a finished upload says, whichever way it went. */
async function expectCreated(response: WireResponse, name: string, digest: string, bytes: Uint8Array) {
  expect(response.status).toBe(201);
  expect(response.header("Content-Length")).toBe("0");
  // containerd refuses a PUT that is answered without it.
  expect(response.header("Docker-Content-Digest")).toBe(digest);
  expect(response.header("Location")).toBe(`http://127.0.0.1:${port()}/v2/${name}/blobs/${digest}`);
  const blob = await exchange(port(), "GET", targetOf(response.header("Location")));
  expect(blob.body.equals(bytes)).toBe(true);
}

async function patch(target: string, bytes: Uint8Array, headers: readonly HeaderLine[] = []) {
  return exchange(port(), "PATCH", target, headers, bytes);
}

async function status(target: string): Promise<WireResponse> {
  const response = await exchange(port(), "GET", target);
  expect(response.status).toBe(204);
  return response;
}

describe("answers to each step", () => {
  test("POST, PATCH without Content-Type, closing PUT without a body", async () => {
    const name = "wire/steps";
    const bytes = uniqueBytes(100_000);
    const opened = await exchange(port(), "POST", `/v2/${name}/blobs/uploads/`);
    expect(opened.header("Docker-Upload-UUID")).toMatch(/^[0-9a-f-]{32,36}$/);
    const first = expectAccepted(opened, name, 0);
    const second = expectAccepted(await patch(first, bytes), name, bytes.length);
    const state = await status(second);
    expect(state.header("Range")).toBe(`0-${bytes.length - 1}`);
    const digest = digestOf(bytes);
    await expectCreated(await exchange(port(), "PUT", withDigest(second, digest)), name, digest, bytes);
  });

  test("a PATCH in chunks of no announced total, as docker and podman send it", async () => {
    const name = "wire/chunked";
    const chunks = [uniqueBytes(1), uniqueBytes(70_000), uniqueBytes(4_096)];
    const bytes = Buffer.concat(chunks);
    const answer = await exchangeChunked(port(), "PATCH", await openUpload(port(), name), [], chunks);
    const target = expectAccepted(answer, name, bytes.length);
    const digest = digestOf(bytes);
    await expectCreated(await exchange(port(), "PUT", withDigest(target, digest)), name, digest, bytes);
  });

  test("a whole blob in a chunked closing PUT without Content-Type", async () => {
    const name = "wire/chunked-put";
    const chunks = [uniqueBytes(50_000), uniqueBytes(50_000)];
    const bytes = Buffer.concat(chunks);
    const digest = digestOf(bytes);
    const target = withDigest(await openUpload(port(), name), digest);
    await expectCreated(await exchangeChunked(port(), "PUT", target, [], chunks), name, digest, bytes);
  });

  test("the last part in a chunked closing PUT", async () => {
    const name = "wire/chunked-rest";
    const [start, rest] = [uniqueBytes(30_000), uniqueBytes(20_000)];
    const bytes = Buffer.concat([start, rest]);
    const digest = digestOf(bytes);
    const target = expectAccepted(await patch(await openUpload(port(), name), start), name, start.length);
    const answer = await exchangeChunked(port(), "PUT", withDigest(target, digest), [octetStream], [rest]);
    await expectCreated(answer, name, digest, bytes);
  });

  test("a whole blob in the closing PUT, under sha512", async () => {
    const name = "wire/sha512";
    const bytes = uniqueBytes(10_000);
    const digest = digestOf(bytes, "sha512");
    const target = withDigest(await openUpload(port(), name), digest);
    await expectCreated(await exchange(port(), "PUT", target, [octetStream], bytes), name, digest, bytes);
  });

  test("a whole blob in the POST", async () => {
    const name = "wire/single-post";
    const bytes = uniqueBytes(10_000);
    const digest = digestOf(bytes);
    const target = `/v2/${name}/blobs/uploads/?digest=${encodeURIComponent(digest)}`;
    await expectCreated(await exchange(port(), "POST", target, [octetStream], bytes), name, digest, bytes);
  });

  test.each([
    ["escaped, from first", (d: string) => `from=wire%2Fsource&mount=${encodeURIComponent(d)}`],
    ["as it is, mount first", (d: string) => `mount=${d}&from=wire/source`],
  ])("a mount, its query %s", async (_, query) => {
    const bytes = uniqueBytes(1_000);
    const digest = await pushBlob(port(), "wire/source", bytes);
    const answer = await exchange(port(), "POST", `/v2/wire/mounted/blobs/uploads/?${query(digest)}`);
    await expectCreated(answer, "wire/mounted", digest, bytes);
  });

  test("cancelling answers 204, after which the session is unknown", async () => {
    const target = await openUpload(port(), "wire/cancelled");
    expect((await exchange(port(), "DELETE", target)).status).toBe(204);
    const gone = await exchange(port(), "GET", target);
    expect(gone.status).toBe(404);
    expect(errorCode(gone)).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  test("Location names the host that the client asked", async () => {
    const headers: readonly HeaderLine[] = [["Host", `localhost:${port()}`]];
    const opened = await exchange(port(), "POST", "/v2/wire/host/blobs/uploads/", headers);
    expect(new URL(opened.header("Location") ?? "").origin).toBe(`http://localhost:${port()}`);
  });

  test("a client that waits for 100 Continue gets it", async () => {
    const bytes = uniqueBytes(5_000);
    const target = await openUpload(port(), "wire/continue");
    const connection = await Connection.open(port());
    await connection.writeHead("PATCH", target, [
      ["Expect", "100-continue"],
      ["Content-Length", String(bytes.length)],
    ]);
    expect((await connection.read("PATCH")).status).toBe(100);
    await connection.write(bytes);
    expectAccepted(await connection.read("PATCH"), "wire/continue", bytes.length);
    connection.close();
  });
});

describe("bodies that are not what was announced", () => {
  test("a wrong digest is a 400 and nothing is stored", async () => {
    const digest = digestOf(uniqueBytes(10));
    const target = withDigest(await openUpload(port(), "wire/wrong"), digest);
    const answer = await exchange(port(), "PUT", target, [octetStream], uniqueBytes(1_000));
    expect(answer.status).toBe(400);
    expect(errorCode(answer)).toBe("DIGEST_INVALID");
    expect((await exchange(port(), "HEAD", `/v2/wire/wrong/blobs/${digest}`)).status).toBe(404);
  });

  test.each([
    ["shorter", 50],
    ["longer", 150],
  ])("a body %s than its Content-Range is a 400 SIZE_INVALID, and the session goes on", async (_, size) => {
    const name = "wire/size";
    const target = await openUpload(port(), name);
    const answer = await patch(target, uniqueBytes(size), [["Content-Range", "0-99"]]);
    expect(answer.status).toBe(400);
    expect(errorCode(answer)).toBe("SIZE_INVALID");
    expectAccepted(await patch(target, uniqueBytes(100), [["Content-Range", "0-99"]]), name, 100);
  });

  test("bytes after the announced length are not taken into the blob", async () => {
    const name = "wire/overlong";
    const [bytes, excess] = [uniqueBytes(1_000), Buffer.from("\u0000excess\r\n\r\n")];
    const connection = await Connection.open(port());
    const target = await openUpload(port(), name);
    await connection.writeHead("PATCH", target, [["Content-Length", String(bytes.length)]]);
    await connection.write(Buffer.concat([bytes, excess]));
    const next = expectAccepted(await connection.read("PATCH"), name, bytes.length);
    expect((await connection.read("GET")).status).toBe(400);
    expect(await connection.isEnded()).toBe(true);
    const digest = digestOf(bytes);
    await expectCreated(await exchange(port(), "PUT", withDigest(next, digest)), name, digest, bytes);
  });

  test("a part at the wrong offset is a 416 that says where to go on", async () => {
    const name = "wire/offset";
    const target = await openUpload(port(), name);
    expectAccepted(await patch(target, uniqueBytes(100), [["Content-Range", "0-99"]]), name, 100);
    const answer = await patch(target, uniqueBytes(100), [["Content-Range", "200-299"]]);
    expect(answer.status).toBe(416);
    expect(answer.header("Range")).toBe("0-99");
    const next = targetOf(answer.header("Location"));
    expectAccepted(await patch(next, uniqueBytes(100), [["Content-Range", "100-199"]]), name, 200);
  });
});

describe("refusals of a body that is still being sent", () => {
  // A server that answers and hangs up while a client is writing leaves many clients with a broken pipe.
  test.each([
    ["of known length", (size: number): HeaderLine => ["Content-Length", String(size)]],
    ["in chunks", (): HeaderLine => ["Transfer-Encoding", "chunked"]],
  ])("a 5 MiB part out of order, %s: all of it is taken, and the 416 arrives", async (_, framing) => {
    const bytes = uniqueBytes(5 * mebibyte);
    const target = await openUpload(port(), "wire/refused");
    const connection = await Connection.open(port());
    const lengthLine = framing(bytes.length);
    await connection.writeHead("PATCH", target, [
      ["Content-Range", `1000-${bytes.length + 999}`],
      lengthLine,
    ]);
    const sending = async () => {
      if (lengthLine[0] === "Content-Length") return connection.write(bytes);
      return (await connection.writeChunk(bytes)) && connection.writeChunk("");
    };
    const [answer, isTaken] = await Promise.all([connection.read("PATCH"), sending()]);
    connection.close();
    expect(answer.status).toBe(416);
    expect(isTaken).toBe(true);
  });

  test("a 5 MiB part for a session that does not exist", async () => {
    const bytes = uniqueBytes(5 * mebibyte);
    const connection = await Connection.open(port());
    const target = "/v2/wire/refused/blobs/uploads/02556531-b925-4953-bcf8-b7710379bab0";
    await connection.writeHead("PATCH", target, [["Content-Length", String(bytes.length)]]);
    const [answer, isTaken] = await Promise.all([connection.read("PATCH"), connection.write(bytes)]);
    connection.close();
    expect(answer.status).toBe(404);
    expect(errorCode(answer)).toBe("BLOB_UPLOAD_UNKNOWN");
    expect(isTaken).toBe(true);
  });
});

describe("connections that are cut", () => {
  /** How many bytes the session holds, and the target to go on at. One byte looks like none, and is never sent. */
  async function progress(target: string): Promise<{ readonly stored: number; readonly next: string }> {
    const response = await status(target);
    const last = Number(/^0-(\d+)$/.exec(response.header("Range") ?? "")?.[1]);
    return { stored: last === 0 ? 0 : last + 1, next: targetOf(response.header("Location")) };
  }

  test("within a PATCH of unknown length: whole segments are kept, and the upload resumes after them", async () => {
    const name = "wire/cut-chunked";
    const bytes = uniqueBytes(10 * mebibyte);
    const target = await openUpload(port(), name);
    const connection = await Connection.open(port());
    await connection.writeHead("PATCH", target, [["Transfer-Encoding", "chunked"]]);
    await connection.writeChunk(bytes.subarray(0, 9 * mebibyte));
    await expect.poll(async () => (await progress(target)).stored, { timeout: 20_000 }).toBe(8 * mebibyte);
    connection.close();

    const { stored, next } = await progress(target);
    const rest = bytes.subarray(stored);
    const range: HeaderLine = ["Content-Range", `${stored}-${bytes.length - 1}`];
    const closing = expectAccepted(await patch(next, rest, [range]), name, bytes.length);
    const digest = digestOf(bytes);
    await expectCreated(await exchange(port(), "PUT", withDigest(closing, digest)), name, digest, bytes);
  });

  test("within a PATCH of known length: nothing is kept, and the same part can be sent again", async () => {
    const name = "wire/cut-known";
    const bytes = uniqueBytes(mebibyte);
    const target = await openUpload(port(), name);
    const connection = await Connection.open(port());
    await connection.writeHead("PATCH", target, [["Content-Length", String(bytes.length)]]);
    await connection.write(bytes.subarray(0, bytes.length / 2));
    await connection.cut();

    expect((await progress(target)).stored).toBe(0);
    const closing = expectAccepted(await patch(target, bytes), name, bytes.length);
    const digest = digestOf(bytes);
    await expectCreated(await exchange(port(), "PUT", withDigest(closing, digest)), name, digest, bytes);
  });

  test("within a closing PUT: the blob does not exist, and the whole PUT can be sent again", async () => {
    const name = "wire/cut-put";
    const bytes = uniqueBytes(mebibyte);
    const digest = digestOf(bytes);
    const target = withDigest(await openUpload(port(), name), digest);
    const connection = await Connection.open(port());
    await connection.writeHead("PUT", target, [["Content-Length", String(bytes.length)]]);
    await connection.write(bytes.subarray(0, bytes.length / 2));
    await connection.cut();

    expect((await exchange(port(), "HEAD", `/v2/${name}/blobs/${digest}`)).status).toBe(404);
    const again = withDigest(await openUpload(port(), name), digest);
    await expectCreated(await exchange(port(), "PUT", again, [octetStream], bytes), name, digest, bytes);
  });
});
