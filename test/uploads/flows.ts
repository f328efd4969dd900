import { expect } from "vitest";
import { algorithmOf, digestOf } from "../../src/oci/digest.ts";
import { closeUpload, expectStatus, type TestBlob } from "../support/content.ts";
import type { Client } from "../support/registry.ts";
import { pushInParts } from "./parts-client.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Opens an upload session: the answer to the POST. */
export function openUpload(client: Client, name = "app", query = ""): Promise<Response> {
  return expectStatus(client.ask(`POST /v2/${name}/blobs/uploads/${query}`), 202);
}

/** The URL at which the upload goes on, as the last answer gave it. */
export function locationOf(answer: Response): string {
  const location = answer.headers.get("Location");
  if (location === null) throw new Error("an answer without Location");
  return location;
}

/** A chunk for the upload whose last answer was `answer`. A stream comes without a length. */
export function patch(
  client: Client,
  answer: Response,
  body: Bytes | ReadableStream,
  headers: Record<string, string> = {},
): Promise<Response> {
  return client.ask(`PATCH ${locationOf(answer)}`, { body, headers });
}

/** A body of unknown length that comes in pieces of at most `piece` bytes. */
export function chunked(bytes: Bytes, piece = 64 * 1024): ReadableStream {
  let sent = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const next = bytes.slice(sent, sent + piece);
      sent += next.byteLength;
      if (next.byteLength > 0) controller.enqueue(next);
      if (sent < bytes.byteLength) return;
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

/** Sends the pieces of a blob one PATCH each, then closes the upload. */
export async function pushInChunks(
  client: Client,
  name: string,
  blob: TestBlob,
  sizes: readonly number[],
): Promise<Response> {
  let answer = await openUpload(client, name);
  let sent = 0;
  for (const size of sizes) {
    const chunk = blob.bytes.slice(sent, sent + size);
    const range = { "Content-Range": `${sent}-${sent + size - 1}` };
    answer = await expectStatus(patch(client, answer, chunk, range), 202);
    sent += size;
    expect(answer.headers.get("Range")).toBe(`0-${sent - 1}`);
  }
  return closeUpload(client, answer, blob.digest, blob.bytes.slice(sent));
}

/** Pushes the bytes of a blob to a repository under its digest; `query` goes to the POST that begins a session. */
export type Push = (client: Client, name: string, blob: TestBlob, query?: string) => Promise<Response>;

/** Every way in. Bytes beyond a mebibyte are not hashed at once; a stream comes without a length. */
export const everyPush: Readonly<Record<string, Push>> = {
  "single POST": (client, name, { bytes, digest }) =>
    client.ask(`POST /v2/${name}/blobs/uploads/?digest=${digest}`, { body: bytes }),
  "single POST in chunks": (client, name, { bytes, digest }) =>
    client.ask(`POST /v2/${name}/blobs/uploads/?digest=${digest}`, { body: chunked(bytes) }),
  "POST+PUT": async (client, name, { bytes, digest }, query) =>
    closeUpload(client, await openUpload(client, name, query), digest, bytes),
  "POST+PUT in chunks": async (client, name, { bytes, digest }, query) =>
    closeUpload(client, await openUpload(client, name, query), digest, chunked(bytes)),
  "POST+PATCH+PUT": async (client, name, { bytes, digest }, query) =>
    closeUpload(client, await patch(client, await openUpload(client, name, query), bytes), digest),
  "POST+PATCH+PUT in chunks": async (client, name, { bytes, digest }, query) =>
    closeUpload(client, await patch(client, await openUpload(client, name, query), chunked(bytes)), digest),
  "POST+2 PATCH+PUT": async (client, name, { bytes, digest }, query) => {
    const half = Math.floor(bytes.byteLength / 2);
    const started = await openUpload(client, name, query);
    const first = await patch(client, started, bytes.slice(0, half));
    return closeUpload(client, await patch(client, first, bytes.slice(half)), digest);
  },
  "POST+PATCH+PUT with the last chunk": async (client, name, { bytes, digest }, query) => {
    const half = Math.floor(bytes.byteLength / 2);
    const first = await patch(client, await openUpload(client, name, query), bytes.slice(0, half));
    return closeUpload(client, first, digest, bytes.slice(half));
  },
  "parts straight to the bucket": (client, name, blob) => pushInParts(client, name, blob, 1_000_000),
};

/** The answer is an error of the specification's form with that code. */
export async function expectError(
  answer: Response | Promise<Response>,
  status: number,
  code: string,
): Promise<Response> {
  const response = await answer;
  const body = (await response.clone().json()) as { errors: { code: string; message: string }[] };
  expect({ status: response.status, code: body.errors[0]?.code }).toEqual({ status, code });
  expect(response.headers.get("Content-Type")).toBe("application/json");
  return response;
}

/** The repository has the blob: HEAD and GET say so, byte for byte. */
export async function expectBlob(client: Client, name: string, blob: TestBlob): Promise<void> {
  const head = await client.ask(`HEAD /v2/${name}/blobs/${blob.digest}`);
  expect(head.status).toBe(200);
  expect(head.headers.get("Content-Length")).toBe(String(blob.bytes.byteLength));
  const answer = await client.ask(`GET /v2/${name}/blobs/${blob.digest}`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("Docker-Content-Digest")).toBe(blob.digest);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  expect(await digestOf(bytes, algorithmOf(blob.digest))).toBe(blob.digest);
}

/** The repository does not have the blob. */
export async function expectNoBlob(client: Client, name: string, blob: TestBlob): Promise<void> {
  expect((await client.ask(`HEAD /v2/${name}/blobs/${blob.digest}`)).status).toBe(404);
  await expectError(client.ask(`GET /v2/${name}/blobs/${blob.digest}`), 404, "BLOB_UNKNOWN");
}

/** The 201 of an upload that ended well. */
export async function expectCreated(
  answer: Response | Promise<Response>,
  name: string,
  blob: TestBlob,
): Promise<void> {
  const response = await expectStatus(Promise.resolve(answer), 201);
  expect(response.headers.get("Location")).toMatch(
    new RegExp(`^https?://[^/]+/v2/${name}/blobs/${blob.digest}$`),
  );
  expect(response.headers.get("Docker-Content-Digest")).toBe(blob.digest);
  expect(response.headers.get("Content-Length")).toBe("0");
}
