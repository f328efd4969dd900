import { describe, expect, test } from "vitest";
import { Connection, exchange, exchangeChunked, type HeaderLine } from "./connection.ts";
import { digestOf, manifestOf, ociManifest, pushBlob, pushManifest, uniqueBytes } from "./fixtures.ts";
import { useRegistry } from "./registry.ts";

const registry = useRegistry();
const port = () => registry().port;
const manifestLimit = 4 * 1024 * 1024;
const acceptGzip: HeaderLine = ["Accept-Encoding", "gzip, deflate, br, zstd"];
const manifestType: HeaderLine = ["Content-Type", ociManifest];

describe("the length is exact and nothing is compressed", () => {
  test.each([
    ["a blob of text", Buffer.from("compressible ".repeat(10_000))],
    ["a blob that is JSON", Buffer.from(JSON.stringify({ padding: " ".repeat(50_000) }))],
    ["random bytes", uniqueBytes(100_000)],
    ["the blob of no bytes", Buffer.alloc(0)],
  ])("GET and HEAD of %s", async (_, bytes) => {
    const name = "wire/blobs";
    const digest = await pushBlob(port(), name, bytes);
    for (const method of ["GET", "HEAD"]) {
      const response = await exchange(port(), method, `/v2/${name}/blobs/${digest}`, [acceptGzip]);
      expect(response.status).toBe(200);
      expect(response.header("Content-Length")).toBe(String(bytes.length));
      expect(response.header("Content-Encoding")).toBeUndefined();
      expect(response.header("Transfer-Encoding")).toBeUndefined();
      expect(response.header("Docker-Content-Digest")).toBe(digest);
      expect(response.header("ETag")).toBe(`"${digest}"`);
      expect(response.body.equals(method === "GET" ? bytes : Buffer.alloc(0))).toBe(true);
    }
  });

  test.each(["GET", "HEAD"])("%s of a manifest, by tag and by digest", async (method) => {
    const name = "wire/manifests";
    const body = manifestOf(`compressible ${"x".repeat(50_000)}`);
    const digest = await pushManifest(port(), name, "1", body);
    for (const reference of ["1", digest]) {
      const response = await exchange(port(), method, `/v2/${name}/manifests/${reference}`, [acceptGzip]);
      expect(response.status).toBe(200);
      expect(response.header("Content-Type")).toBe(ociManifest);
      expect(response.header("Content-Length")).toBe(String(body.length));
      expect(response.header("Content-Encoding")).toBeUndefined();
      expect(response.header("Docker-Content-Digest")).toBe(digest);
      expect(response.header("ETag")).toBe(`"${digest}"`);
      expect(response.body.toString()).toBe(method === "GET" ? body : "");
    }
  });

  test("a part of a blob", async () => {
    const bytes = uniqueBytes(10_000);
    const digest = await pushBlob(port(), "wire/part", bytes);
    const headers: readonly HeaderLine[] = [["Range", "bytes=1000-1999"], acceptGzip];
    const response = await exchange(port(), "GET", `/v2/wire/part/blobs/${digest}`, headers);
    expect(response.status).toBe(206);
    expect(response.header("Content-Range")).toBe("bytes 1000-1999/10000");
    expect(response.header("Content-Length")).toBe("1000");
    expect(response.header("Content-Encoding")).toBeUndefined();
    expect(response.body.equals(bytes.subarray(1000, 2000))).toBe(true);
  });

  test("a HEAD that fails has the length of the error that GET sends", async () => {
    const target = `/v2/wire/blobs/blobs/${digestOf("never pushed")}`;
    const [get, head] = [await exchange(port(), "GET", target), await exchange(port(), "HEAD", target)];
    expect([get.status, head.status]).toEqual([404, 404]);
    expect(get.header("Content-Length")).toBe(String(get.body.length));
    expect(head.header("Content-Length")).toBe(get.header("Content-Length"));
    expect(get.header("Content-Type")).toBe("application/json");
  });
});

describe("manifest PUT", () => {
  test("answers exactly 201, by tag and by digest, with the digest and an absolute Location", async () => {
    const name = "wire/put";
    const body = manifestOf("answers");
    const digest = await pushManifest(port(), name, "1", body);
    for (const reference of ["1", digest]) {
      const response = await exchange(
        port(),
        "PUT",
        `/v2/${name}/manifests/${reference}`,
        [manifestType],
        body,
      );
      expect(response.status).toBe(201);
      expect(response.header("Docker-Content-Digest")).toBe(digest);
      expect(response.header("Location")).toBe(`http://127.0.0.1:${port()}/v2/${name}/manifests/${digest}`);
      expect(response.header("Content-Length")).toBe("0");
    }
  });

  test("takes a chunked body of exactly the limit", async () => {
    const name = "wire/limit";
    await pushBlob(port(), name, "{}");
    const body = manifestOf("limit", manifestLimit);
    expect(body.length).toBe(manifestLimit);
    const chunks = [body.slice(0, 1_000_000), body.slice(1_000_000)];
    const response = await exchangeChunked(port(), "PUT", `/v2/${name}/manifests/1`, [manifestType], chunks);
    expect(response.status).toBe(201);
    expect(response.header("Docker-Content-Digest")).toBe(digestOf(body));
  });

  /** Sends on while it reads, as Go's client does: what arrives before the body has gone out is not lost. */
  async function putOversized(
    headers: readonly HeaderLine[],
    send: (connection: Connection) => Promise<unknown>,
  ) {
    const connection = await Connection.open(port());
    await connection.writeHead("PUT", "/v2/wire/oversized/manifests/1", [manifestType, ...headers]);
    const [response] = await Promise.all([connection.read("PUT"), send(connection)]);
    connection.close();
    expect(response.status).toBe(413);
    expect(JSON.parse(response.body.toString()).errors[0].code).toBe("MANIFEST_INVALID");
    expect((await exchange(port(), "GET", "/v2/wire/oversized/manifests/1")).status).toBe(404);
  }

  test.each([manifestLimit + 1, 10 * manifestLimit])(
    "a body of %i bytes: the client gets the 413",
    async (size) => {
      const body = manifestOf("oversized", size);
      await putOversized([["Content-Length", String(size)]], (connection) => connection.write(body));
    },
  );

  test.each([manifestLimit + 1, 10 * manifestLimit])("the same in chunks, %i bytes in all", async (size) => {
    const body = Buffer.from(manifestOf("oversized", size));
    await putOversized([["Transfer-Encoding", "chunked"]], async (connection) => {
      for (let at = 0; at < size; at += 65_536) await connection.writeChunk(body.subarray(at, at + 65_536));
      await connection.writeChunk("");
    });
  });

  test("a body that is cut leaves neither tag nor manifest", async () => {
    const name = "wire/cut";
    const body = manifestOf("cut");
    await pushBlob(port(), name, "{}");
    const connection = await Connection.open(port());
    await connection.writeHead("PUT", `/v2/${name}/manifests/1`, [
      manifestType,
      ["Content-Length", String(body.length)],
    ]);
    await connection.write(body.slice(0, -1));
    await connection.cut();
    expect((await exchange(port(), "GET", `/v2/${name}/manifests/1`)).status).toBe(404);
    expect((await exchange(port(), "GET", `/v2/${name}/manifests/${digestOf(body)}`)).status).toBe(404);
  });
});
