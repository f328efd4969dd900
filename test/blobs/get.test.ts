import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { parseRepositoryName } from "../../src/oci/name.ts";
import { blobOf, expectStatus, noise, pushBlob, type TestBlob } from "../support/content.ts";
import { type Client, createClient, createTestRegistry } from "../support/registry.ts";
import { expectError } from "../uploads/flows.ts";
import { partsOf } from "./byteranges.ts";

const clock = { now: () => Date.now(), sleep: async () => {} };

/** The same behaviour over the doubles and over R2's simulator, whose streams are those of the platform. */
const platforms: readonly (readonly [string, () => Client])[] = [
  ["over the doubles", () => createTestRegistry().client()],
  ["over the simulators", () => createClient({ bucket: env.BUCKET, kv: env.TAGS, clock })],
];

async function bytesOf(answer: Response): Promise<Uint8Array> {
  return new Uint8Array(await answer.arrayBuffer());
}

describe.each(platforms)("GET and HEAD of a blob, %s", (_, connect) => {
  const size = 1000;
  async function pushed(bytes = noise(size)): Promise<{ client: Client; blob: TestBlob; path: string }> {
    const client = connect();
    const blob = await blobOf(bytes);
    await expectStatus(pushBlob(client, "app", blob), 201);
    return { client, blob, path: `/v2/app/blobs/${blob.digest}` };
  }

  it("says what it is", async () => {
    const { client, blob, path } = await pushed();
    for (const method of ["GET", "HEAD"]) {
      const answer = await client.ask(`${method} ${path}`, { headers: { "Accept-Encoding": "gzip, br" } });
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "content-type": "application/octet-stream",
        "content-length": String(size),
        "docker-content-digest": blob.digest,
        etag: `"${blob.digest}"`,
        "accept-ranges": "bytes",
        "cache-control": "max-age=31536000, immutable, no-transform",
      });
      expect(answer.headers.has("Content-Encoding")).toBe(false);
      expect(await bytesOf(answer)).toEqual(method === "GET" ? blob.bytes : new Uint8Array(0));
    }
  });

  it("the empty blob has a length of 0, for HEAD and whatever range is asked", async () => {
    const { client, path } = await pushed(new Uint8Array(0));
    const head = await client.ask(`HEAD ${path}`);
    expect([head.status, head.headers.get("Content-Length")]).toEqual([200, "0"]);
    for (const range of [undefined, "bytes=0-", "bytes=0-0", "bytes=-1"]) {
      const answer = await client.ask(`GET ${path}`, {
        headers: range === undefined ? {} : { Range: range },
      });
      expect([answer.status, answer.headers.get("Content-Length")]).toEqual([200, "0"]);
      expect(await bytesOf(answer)).toHaveLength(0);
    }
  });

  it.each([
    ["bytes=0-0", 0, 1],
    ["bytes=0-999", 0, 1000],
    ["bytes=10-19", 10, 20],
    ["bytes=990-", 990, 1000],
    ["bytes=0-", 0, 1000],
    ["bytes=-10", 990, 1000],
    ["bytes=-5000", 0, 1000],
    ["bytes=990-5000", 990, 1000],
    ["bytes=999-99999999999999999999", 999, 1000],
    ["Bytes=5-6", 5, 7],
    ["bytes= 5-6 ", 5, 7],
    ["bytes=5-6, 5000-6000", 5, 7],
  ])("Range %s gives bytes %i to %i", async (range, start, end) => {
    const { client, blob, path } = await pushed();
    const answer = await client.ask(`GET ${path}`, { headers: { Range: range } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get("Content-Range")).toBe(`bytes ${start}-${end - 1}/${size}`);
    expect(answer.headers.get("Content-Length")).toBe(String(end - start));
    expect(answer.headers.get("ETag")).toBe(`"${blob.digest}"`);
    expect(answer.headers.get("Content-Type")).toBe("application/octet-stream");
    expect(await bytesOf(answer)).toEqual(blob.bytes.slice(start, end));
  });

  it.each([
    "bytes=1000-",
    "bytes=5000-10000",
    "bytes=500-0",
    "bytes=-0",
    "bytes=1000-,2000-3000",
    "bytes=1-2,5-3",
  ])("Range %s is a 416 that tells the size", async (range) => {
    const { client, path } = await pushed();
    const answer = await client.ask(`GET ${path}`, { headers: { Range: range } });
    await expectError(answer, 416, "SIZE_INVALID");
    expect(answer.headers.get("Content-Range")).toBe(`bytes */${size}`);
    const length = (await answer.arrayBuffer()).byteLength;
    expect(answer.headers.get("Content-Length")).toBe(String(length));
  });

  it.each(["chunks=0-1", "bytes", "bytes=", "bytes=a-b", "bytes=1", "bytes=--1", "0-1", "bytes=1-2;3-4"])(
    "Range %s is ignored",
    async (range) => {
      const { client, blob, path } = await pushed();
      const answer = await client.ask(`GET ${path}`, { headers: { Range: range } });
      expect(answer.status).toBe(200);
      expect(await bytesOf(answer)).toEqual(blob.bytes);
    },
  );

  it("Range means nothing to HEAD", async () => {
    const { client, path } = await pushed();
    const answer = await client.ask(`HEAD ${path}`, { headers: { Range: "bytes=0-1" } });
    expect([answer.status, answer.headers.get("Content-Length")]).toEqual([200, String(size)]);
  });

  it.each([
    ["two", "bytes=0-9,20-29", ["0-9", "20-29"]],
    ["that overlap, in the order asked for", "bytes=50-99, 40-59,0-0", ["50-99", "40-59", "0-0"]],
    [
      "that touch, which podman wants apart",
      "bytes=80-399,400-799,800-999",
      ["80-399", "400-799", "800-999"],
    ],
    ["of every form", "bytes=-1,1-1,998-", ["999-999", "1-1", "998-999"]],
    ["of which one lies outside", "bytes=0-1,5000-6000,2-3", ["0-1", "2-3"]],
  ])("several ranges, %s: multipart/byteranges", async (_kind, range, places) => {
    const { client, blob, path } = await pushed();
    const answer = await client.ask(`GET ${path}`, { headers: { Range: range } });
    expect(answer.status).toBe(206);
    expect(answer.headers.has("Content-Range")).toBe(false);
    expect(answer.headers.get("Docker-Content-Digest")).toBe(blob.digest);
    const body = await bytesOf(answer);
    expect(answer.headers.get("Content-Length")).toBe(String(body.byteLength));
    const parts = partsOf(answer.headers.get("Content-Type") ?? "", body);
    expect(parts.map(({ contentRange }) => contentRange)).toEqual(
      places.map((place) => `bytes ${place}/${size}`),
    );
    for (const { contentType, contentRange, bytes } of parts) {
      const [, start, end] = /bytes (\d+)-(\d+)/.exec(contentRange) ?? [];
      expect(contentType).toBe("application/octet-stream");
      expect(bytes).toEqual(blob.bytes.slice(Number(start), Number(end) + 1));
    }
  });

  it.each([
    ["more than the blob", "bytes=0-899,100-999"],
    ["more than 64", `bytes=${Array.from({ length: 65 }, (_each, index) => `${2 * index}-${2 * index}`)}`],
  ])("several ranges, %s: the whole blob", async (_kind, range) => {
    const { client, blob, path } = await pushed();
    const answer = await client.ask(`GET ${path}`, { headers: { Range: range } });
    expect(answer.status).toBe(200);
    expect(await bytesOf(answer)).toEqual(blob.bytes);
  });

  it("If-Range lets a range through for the blob's own strong tag alone", async () => {
    const { client, blob, path } = await pushed();
    const status = async (ifRange: string) => {
      const answer = await client.ask(`GET ${path}`, {
        headers: { Range: "bytes=0-1", "If-Range": ifRange },
      });
      return [answer.status, (await bytesOf(answer)).byteLength];
    };
    expect(await status(`"${blob.digest}"`)).toEqual([206, 2]);
    expect(await status(`W/"${blob.digest}"`)).toEqual([200, size]);
    expect(await status(`"sha256:other"`)).toEqual([200, size]);
    expect(await status("Wed, 21 Oct 2015 07:28:00 GMT")).toEqual([200, size]);
  });

  it("If-None-Match is a 304 with tag and digest, before any range", async () => {
    const { client, blob, path } = await pushed();
    const tags = [`"${blob.digest}"`, `W/"${blob.digest}"`, blob.digest, "*", `"other", "${blob.digest}"`];
    for (const tag of tags) {
      for (const [method, range] of [
        ["GET", undefined],
        ["HEAD", undefined],
        ["GET", "bytes=0-1"],
        ["GET", "bytes=5000-"],
      ] as const) {
        const headers = { "If-None-Match": tag, ...(range !== undefined && { Range: range }) };
        const answer = await client.ask(`${method} ${path}`, { headers });
        expect(answer.status).toBe(304);
        expect(answer.headers.get("ETag")).toBe(`"${blob.digest}"`);
        expect(answer.headers.get("Docker-Content-Digest")).toBe(blob.digest);
        expect(await bytesOf(answer)).toHaveLength(0);
      }
    }
    const answer = await client.ask(`GET ${path}`, { headers: { "If-None-Match": '"other"' } });
    expect(answer.status).toBe(200);
    expect(await bytesOf(answer)).toEqual(blob.bytes);
    const absent = `/v2/app/blobs/sha256:${"0".repeat(64)}`;
    expect((await client.ask(`GET ${absent}`, { headers: { "If-None-Match": "*" } })).status).toBe(404);
  });
});

describe("a blob", () => {
  it("of one repository is invisible in another, whatever is asked", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(noise(1000));
    await expectStatus(pushBlob(client, "theirs", blob), 201);
    await expectStatus(pushBlob(client, "app", await blobOf("other")), 201);
    for (const name of ["app", "theirs/more", "their", "nobodys"]) {
      const path = `/v2/${name}/blobs/${blob.digest}`;
      for (const headers of [
        {},
        { Range: "bytes=0-1" },
        { Range: "bytes=0-1,3-4" },
        { Range: "bytes=5000-" },
        { "If-None-Match": "*" },
        { "If-Range": `"${blob.digest}"`, Range: "bytes=0-1" },
      ] as const) {
        const answer = await expectError(client.ask(`GET ${path}`, { headers }), 404, "BLOB_UNKNOWN");
        expect(answer.headers.has("ETag")).toBe(false);
        expect(answer.headers.has("Content-Range")).toBe(false);
      }
      expect((await client.ask(`HEAD ${path}`)).status).toBe(404);
      await expectError(client.ask(`DELETE ${path}`), 404, "BLOB_UNKNOWN");
    }
    expect((await client.ask(`GET /v2/theirs/blobs/${blob.digest}`)).status).toBe(200);
  });

  it("is deleted from its repository alone, at once, and can be pushed again", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(noise(1000));
    for (const name of ["one", "two"]) await expectStatus(pushBlob(client, name, blob), 201);
    const path = `/v2/one/blobs/${blob.digest}`;
    const deleted = await expectStatus(client.ask(`DELETE ${path}`), 202);
    expect(deleted.headers.get("Content-Length")).toBe("0");
    expect((await client.ask(`HEAD ${path}`)).status).toBe(404);
    await expectError(client.ask(`DELETE ${path}`), 404, "BLOB_UNKNOWN");
    expect((await client.ask(`HEAD /v2/two/blobs/${blob.digest}`)).status).toBe(200);
    await expectStatus(pushBlob(client, "one", blob), 201);
    expect((await client.ask(`HEAD ${path}`)).status).toBe(200);
    await expectStatus(client.ask(`DELETE ${path}`), 202);
  });

  it("is not deleted where deleting is switched off", async () => {
    const world = createTestRegistry();
    const blob = await blobOf("x");
    await expectStatus(pushBlob(world.client(), "app", blob), 201);
    const client = world.client("strict", { deleteEnabled: false });
    await expectError(client.ask(`DELETE /v2/app/blobs/${blob.digest}`), 405, "UNSUPPORTED");
    expect((await client.ask(`HEAD /v2/app/blobs/${blob.digest}`)).status).toBe(200);
  });

  it.each(["sha256:baddigest", "sha256", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:"])(
    "has no digest like %s",
    async (digest) => {
      const client = createTestRegistry().client();
      for (const method of ["GET", "DELETE"]) {
        await expectError(client.ask(`${method} /v2/app/blobs/${digest}`), 400, "DIGEST_INVALID");
      }
    },
  );

  it("that distribution stored by sha512, under its sha256, is served whole and in ranges", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const bytes = noise(1000);
    const canonical = await blobOf(bytes);
    const alias = await blobOf(bytes, "sha512");
    const { layout } = client.registry.store;
    const distribution = world.r2.actor("distribution");
    const link = layout.layerLink(parseRepositoryName("app"), alias.digest);
    await distribution.put(layout.blobData(canonical.digest), bytes);
    await distribution.put(link, canonical.digest);
    await distribution.put(layout.layerLink(parseRepositoryName("app"), canonical.digest), canonical.digest);
    for (const digest of [alias.digest, canonical.digest]) {
      const path = `/v2/app/blobs/${digest}`;
      const head = await expectStatus(client.ask(`HEAD ${path}`), 200);
      expect(head.headers.get("Content-Length")).toBe("1000");
      expect(await bytesOf(await expectStatus(client.ask(`GET ${path}`), 200))).toEqual(bytes);
      const part = await expectStatus(client.ask(`GET ${path}`, { headers: { Range: "bytes=5-9" } }), 206);
      expect(await bytesOf(part)).toEqual(bytes.slice(5, 10));
    }
  });

  it("whose bytes are gone is unknown to GET, not an empty answer", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(noise(1000));
    await expectStatus(pushBlob(client, "app", blob), 201);
    await world.r2.actor("vandal").delete(client.registry.store.layout.blobData(blob.digest));
    for (const headers of [{}, { Range: "bytes=0-1" }] as const) {
      const answer = client.ask(`GET /v2/app/blobs/${blob.digest}`, { headers });
      await expectError(answer, 404, "BLOB_UNKNOWN");
    }
    const several = await client.ask(`GET /v2/app/blobs/${blob.digest}`, {
      headers: { Range: "bytes=0-1,3-4" },
    });
    await expect(several.arrayBuffer()).rejects.toThrow();
  });
});
