import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blobOf, noise, pushBlob, pushImage, type TestBlob, type TestManifest } from "../support/content.ts";
import { Connection, exchange } from "../wire/connection.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import * as faults from "./faults.ts";
import { type SkerryOrigin, skerryOrigin } from "./skerry-origin.ts";

let origin: SkerryOrigin;
let proxy: FaultProxy;
let image: TestManifest;
let blob: TestBlob;
const manifestPath = "/v2/team/app/manifests/1";
let blobPath: string;

beforeEach(async () => {
  origin = skerryOrigin();
  proxy = await startFaultProxy(origin.answer);
  image = await pushImage(origin.client, "team/app", "1", "seed");
  blob = await blobOf(noise(100_000));
  await pushBlob(origin.client, "team/app", blob);
  blobPath = `/v2/team/app/blobs/${blob.digest}`;
});

afterEach(() => proxy.kill());

const get = (path: string) => exchange(proxy.port, "GET", path);
const head = (path: string) => exchange(proxy.port, "HEAD", path);

describe("without a fault", () => {
  it("the origin answers, byte for byte, and every request is seen", async () => {
    const answer = await get(manifestPath);
    expect([answer.status, answer.header("Docker-Content-Digest")]).toEqual([200, image.digest]);
    expect(answer.body.equals(image.bytes)).toBe(true);
    expect((await get(blobPath)).body.equals(blob.bytes)).toBe(true);
    expect((await head(blobPath)).header("Content-Length")).toBe("100000");
    const part = await exchange(proxy.port, "GET", blobPath, [["Range", "bytes=10-19"]]);
    expect([part.status, part.body.length]).toEqual([206, 10]);
    expect(proxy.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET ${manifestPath}`,
      `GET ${blobPath}`,
      `HEAD ${blobPath}`,
      `GET ${blobPath}`,
    ]);
    expect(proxy.seen.at(-1)?.headers.range).toBe("bytes=10-19");
    proxy.forget();
    expect(proxy.seen).toEqual([]);
  });
});

describe("a proxy", () => {
  it("that is killed refuses connections until it is revived, and cuts those that are open", async () => {
    proxy.fault = faults.hangs;
    const waiting = await Connection.open(proxy.port);
    await waiting.writeHead("GET", manifestPath);
    await expect.poll(() => proxy.pending).toBe(1);
    await proxy.kill();
    expect(await waiting.isEnded()).toBe(true);
    await expect(get(manifestPath)).rejects.toThrow("ECONNREFUSED");
    await proxy.revive();
    proxy.fault = faults.answers(429, { "Retry-After": "7" });
    const answer = await get(manifestPath);
    expect([answer.status, answer.header("Retry-After")]).toEqual([429, "7"]);
    expect((await head(manifestPath)).status).toBe(429);
  });

  it("may have a fault for one kind of requests, or for all methods but one", async () => {
    proxy.fault = faults.onlyFor("blobs", faults.unless("HEAD", faults.answers(500)));
    expect((await get(manifestPath)).status).toBe(200);
    expect((await get(blobPath)).status).toBe(500);
    expect((await head(blobPath)).status).toBe(200);
  });

  it("may be late", async () => {
    proxy.fault = faults.delays(20);
    const start = performance.now();
    expect((await get(manifestPath)).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(15);
  });

  it("redirects to where it is told", async () => {
    proxy.fault = faults.redirects(({ path }) => `http://storage.example${path}`, 302);
    const answer = await get(blobPath);
    expect([answer.status, answer.header("Location")]).toEqual([302, `http://storage.example${blobPath}`]);
  });

  it("may leave out a header, or say something else", async () => {
    proxy.fault = faults.lacks("Docker-Content-Digest");
    expect((await head(manifestPath)).header("Docker-Content-Digest")).toBeUndefined();
    expect((await get(manifestPath)).body.equals(image.bytes)).toBe(true);
    proxy.fault = faults.claims({ "docker-content-digest": blob.digest });
    expect((await head(manifestPath)).header("Docker-Content-Digest")).toBe(blob.digest);
  });
});

describe("a body", () => {
  it.each([
    ["flipped", faults.flips, 100_000],
    ["shortened", faults.shortens, 99_999],
    ["lengthened", faults.lengthens, 100_001],
  ] as const)("that is %s has a length of its own", async (_, fault, length) => {
    proxy.fault = fault;
    const answer = await get(blobPath);
    expect([answer.header("Content-Length"), answer.body.length]).toEqual([String(length), length]);
    expect(answer.body.equals(blob.bytes)).toBe(false);
    expect((await head(blobPath)).header("Content-Length")).toBe("100000");
  });

  it("of another manifest comes under the digest of the first", async () => {
    proxy.fault = faults.substitutes;
    const answer = await get(manifestPath);
    expect(answer.header("Docker-Content-Digest")).toBe(image.digest);
    expect(answer.body.equals(image.bytes)).toBe(false);
  });

  it("that is cut ends in its middle", async () => {
    proxy.fault = faults.cuts;
    await expect(get(blobPath)).rejects.toThrow("the connection ended at 50000 of 100000 bytes");
    expect((await head(blobPath)).header("Content-Length")).toBe("100000");
  });

  it("that stalls stays in its middle", async () => {
    proxy.fault = faults.stalls;
    const connection = await Connection.open(proxy.port);
    await connection.writeHead("GET", blobPath);
    const answer = connection.read("GET");
    await expect.poll(() => proxy.pending).toBe(1);
    await proxy.kill();
    await expect(answer).rejects.toThrow("the connection ended at 50000 of 100000 bytes");
  });

  it("that trickles comes whole, in pieces", async () => {
    proxy.fault = faults.trickles(4, 5);
    const start = performance.now();
    expect((await get(blobPath)).body.equals(blob.bytes)).toBe(true);
    expect(performance.now() - start).toBeGreaterThan(15);
  });

  it("may come in chunks, without a length", async () => {
    proxy.fault = faults.chunks;
    const answer = await get(blobPath);
    expect(answer.header("Content-Length")).toBeUndefined();
    expect(answer.body.equals(blob.bytes)).toBe(true);
  });
});
