import { describe, expect, it } from "vitest";
import { sessionLifetime } from "../../src/storage/upload-state.ts";
import { blobOf, closeUpload, expectStatus, noise } from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import { expectSound, kinds, segments } from "./bucket.ts";
import { chunked, expectBlob, expectCreated, expectError, locationOf, openUpload, patch } from "./flows.ts";

const gone = [404, "BLOB_UPLOAD_UNKNOWN"] as const;

/** Every request on an upload, by the URL of an earlier answer. */
const requests: Readonly<Record<string, (client: Client, answer: Response) => Promise<Response>>> = {
  GET: (client, answer) => client.ask(`GET ${locationOf(answer)}`),
  PATCH: (client, answer) => patch(client, answer, noise(10)),
  "PATCH in chunks": (client, answer) => patch(client, answer, chunked(noise(10))),
  "PATCH of nothing": (client, answer) => patch(client, answer, new Uint8Array(0)),
  PUT: async (client, answer) => closeUpload(client, answer, (await blobOf(noise(3000))).digest),
  "PUT with a body": async (client, answer) => {
    const blob = await blobOf(noise(3000));
    return closeUpload(client, answer, blob.digest, blob.bytes);
  },
  DELETE: (client, answer) => client.ask(`DELETE ${locationOf(answer)}`),
};
const everyRequest = Object.entries(requests);

describe("a session", () => {
  it("begins with a UUID, nothing received and nothing written", async () => {
    const world = createTestRegistry();
    const answer = await openUpload(world.client());
    const session = answer.headers.get("Docker-Upload-UUID") ?? "";
    expect(session).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(new URL(locationOf(answer)).pathname).toBe(`/v2/app/blobs/uploads/${session}`);
    expect(answer.headers.get("Range")).toBe("0-0");
    expect(answer.headers.get("Content-Length")).toBe("0");
    expect(answer.headers.get("OCI-Chunk-Min-Length")).toBe("5242880");
    expect(answer.headers.get("OCI-Chunk-Max-Length")).toBe("99614720");
    expect(world.gate.trace).toEqual([]);
  });

  it("tells where it stands, to GET and HEAD, by an old URL and with a stray digest", async () => {
    const client = createTestRegistry().client();
    const started = await openUpload(client);
    await expectStatus(patch(client, started, noise(10)), 202);
    for (const url of [locationOf(started), `${locationOf(started)}&digest=sha256:x`]) {
      for (const method of ["GET", "HEAD"]) {
        const status = await expectStatus(client.ask(`${method} ${url}`), 204);
        expect(status.headers.get("Range")).toBe("0-9");
        expect(status.headers.get("Docker-Upload-UUID")).toBe(started.headers.get("Docker-Upload-UUID"));
        const next = await expectStatus(client.ask(`GET ${locationOf(status)}`), 204);
        expect(next.headers.get("Range")).toBe("0-9");
      }
    }
  });

  it("takes a chunk of no bytes and stands where it stood", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(noise(10));
    const started = await openUpload(client);
    const before = await expectStatus(patch(client, started, new Uint8Array(0)), 202);
    expect(before.headers.get("Range")).toBe("0-0");
    const first = await expectStatus(patch(client, before, blob.bytes), 202);
    const empty = await expectStatus(patch(client, first, new Uint8Array(0)), 202);
    const streamed = await expectStatus(patch(client, empty, chunked(new Uint8Array(0))), 202);
    expect(streamed.headers.get("Range")).toBe("0-9");
    await expectCreated(closeUpload(client, streamed, blob.digest), "app", blob);
  });

  it("goes on at another isolate, with the upload key of the bucket", async () => {
    const world = createTestRegistry({ config: { uploadKey: undefined } });
    const blob = await blobOf(noise(100));
    const started = await openUpload(world.client("one"));
    const answer = await expectStatus(patch(world.client("two"), started, blob.bytes), 202);
    await expectCreated(closeUpload(world.client("three"), answer, blob.digest), "app", blob);
    expect(kinds(world)).toMatchObject({ uploadKey: 1 });
  });

  it("begins at many isolates at once in an empty bucket: one upload key for all", async () => {
    const world = createTestRegistry({ config: { uploadKey: undefined }, r2: { oneWritePerSecond: true } });
    const clients = Array.from({ length: 10 }, (_, index) => world.client(`client ${index}`));
    const answers = await Promise.all(clients.map((client) => openUpload(client)));
    for (const answer of answers) await expectStatus(requests.GET?.(world.client(), answer) ?? fail(), 204);
  });

  it("goes on after a chunk that broke off", async () => {
    const client = createTestRegistry({ config: { uploadBufferSize: 4096 } }).client();
    const blob = await blobOf(noise(10_000));
    const started = await openUpload(client);
    const broken = new ReadableStream({
      type: "bytes",
      start: (controller) => controller.enqueue(blob.bytes.slice(0, 6000)),
      pull: (controller) => controller.error(new Error("cut")),
    });
    await expectError(patch(client, started, broken), 499, "SIZE_INVALID");
    const status = await expectStatus(client.ask(`GET ${locationOf(started)}`), 204);
    expect(status.headers.get("Range")).toBe("0-4095");
    await expectCreated(closeUpload(client, status, blob.digest, blob.bytes.slice(4096)), "app", blob);
  });
});

function fail(): never {
  throw new Error("no such request");
}

describe.each(everyRequest)("%s on", (_, request) => {
  it("a session that was never begun", async () => {
    const client = createTestRegistry().client();
    const answer = await openUpload(client);
    const url = new URL(locationOf(answer));
    const forged: URL[] = [];
    const change = (edit: (copy: URL) => void) => {
      const copy = new URL(url);
      edit(copy);
      forged.push(copy);
    };
    const token = url.searchParams.get("state") ?? "";
    change((copy) => copy.searchParams.delete("state"));
    change((copy) => copy.searchParams.set("state", "nonsense"));
    change((copy) => copy.searchParams.set("state", `${token.split(".")[0]}.`));
    change((copy) => copy.searchParams.set("state", `A${token.slice(1)}`));
    change((copy) => copy.searchParams.set("state", "%"));
    change((copy) => {
      copy.pathname = "/v2/app/blobs/uploads/00000000-0000-4000-8000-000000000000";
    });
    for (const location of forged) {
      const headers = { Location: location.href };
      await expectError(request(client, new Response(null, { headers })), ...gone);
    }
  });

  it("a session of another repository", async () => {
    const client = createTestRegistry().client();
    const answer = await openUpload(client, "theirs");
    const location = locationOf(answer).replace("/v2/theirs/", "/v2/app/");
    await expectError(request(client, new Response(null, { headers: { Location: location } })), ...gone);
  });

  it("a session of another registry", async () => {
    const answer = await openUpload(createTestRegistry().client());
    const client = createTestRegistry({ config: { uploadKey: "another key for tests" } }).client();
    await expectError(request(client, answer), ...gone);
  });

  it("a session older than a week", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const answer = await patch(client, await openUpload(client), noise(3000));
    world.clock.advance(sessionLifetime);
    await expectStatus(client.ask(`GET ${locationOf(answer)}`), 204);
    world.clock.advance(1);
    await expectError(request(client, answer), ...gone);
  });

  it.each([
    ["empty", async (_client: Client, started: Response) => [started]],
    [
      "of one chunk that may be the blob",
      async (client: Client, started: Response) => [
        started,
        await expectStatus(patch(client, started, noise(3000)), 202),
      ],
    ],
    [
      "of three chunks",
      async (client: Client, started: Response) => {
        const one = await patch(client, started, noise(3000), { "Content-Range": "0-2999" });
        const two = await patch(client, one, noise(10));
        return [started, one, two, await expectStatus(patch(client, two, noise(5)), 202)];
      },
    ],
  ])("a cancelled session, %s, by any of its URLs", async (_kind, prepare) => {
    const world = createTestRegistry();
    const client = world.client();
    const urls = await prepare(client, await openUpload(client));
    for (const [index, url] of urls.entries()) {
      if (index > 0) expect(url.status).toBe(202);
    }
    const last = urls.at(-1) ?? fail();
    const cancelled = await expectStatus(client.ask(`DELETE ${locationOf(last)}`), 204);
    expect(cancelled.headers.get("Docker-Upload-UUID")).toBe(last.headers.get("Docker-Upload-UUID"));
    const marks = segments(world);
    expect(marks.every(({ bytes }) => bytes.byteLength === 0)).toBe(true);
    for (const url of urls) await expectError(request(client, url), ...gone);
    expect(segments(world)).toEqual(marks);
    expectSound(world);
  });

  it("a session that was refused for its digest", async () => {
    const client = createTestRegistry().client();
    const { digest } = await blobOf("something else");
    const started = await openUpload(client);
    const answer = await patch(client, started, noise(2_000_000));
    await expectError(closeUpload(client, answer, digest), 400, "DIGEST_INVALID");
    for (const url of [started, answer]) await expectError(request(client, url), ...gone);
  });
});

describe("a committed session", () => {
  it("takes no more chunks, and is gone", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(noise(2_000_000));
    const answer = await patch(client, await openUpload(client), blob.bytes);
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
    for (const name of ["GET", "PATCH", "PATCH in chunks", "PATCH of nothing", "DELETE"]) {
      await expectError(requests[name]?.(client, answer) ?? fail(), ...gone);
    }
    expect(kinds(world)).toEqual({ blobData: 1, owner: 1, layerLink: 1 });
    const other = await blobOf("other");
    await expectError(closeUpload(client, answer, other.digest), ...gone);
    await expectBlob(client, "app", blob);
  });
});
