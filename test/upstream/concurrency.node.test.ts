import { afterEach, describe, expect, it } from "vitest";
import { exchange } from "../wire/connection.ts";
import { useEdge } from "./edge.ts";
import { entryOf } from "./edge-entry.ts";
import { type FaultProxy, honest, startFaultProxy } from "./fault-proxy.ts";
import { delays, onlyFor, stalls, trickles } from "./faults.ts";
import { openDownload, pullBlob, pullImage, pushLayers } from "./pulls.ts";
import { skerryOrigin } from "./skerry-origin.ts";

const prefix = "mirror.example";
/** The same upstream, whose tags are never fresh. */
const stale = "stale.example";
const mebibyte = 1024 * 1024;
const origin = skerryOrigin();
let proxy: FaultProxy;

const edge = useEdge(
  () => [proxy],
  async () => {
    proxy = await startFaultProxy(origin.answer);
    return { upstreams: [entryOf(prefix, proxy), entryOf(stale, proxy, { fresh: 0 })] };
  },
);

afterEach(async () => {
  proxy.fault = honest;
  proxy.forget();
});

/** How often the upstream was asked that. */
function asked(method: string, end: string): number {
  return proxy.seen.filter((request) => request.method === method && request.path.endsWith(end)).length;
}

/** Pushes an image with one layer. @returns the layer's digest, and its path at the edge. */
async function pushLayer(name: string, size: number, seed: number) {
  const { blobs } = await pushLayers(origin.client, name, "1", [size], seed);
  const digest = blobs[1]?.digest ?? "";
  return { digest, name: `${prefix}/${name}`, path: `/v2/${prefix}/${name}/blobs/${digest}` };
}

it("twenty clients that pull the same new image at once cost the upstream about what one costs", async () => {
  const sizes = [300_000, 300_000, 300_000, 300_000];
  const { image, blobs } = await pushLayers(origin.client, "team/stormed", "1", sizes, 2);
  // Slow enough for all of them to come while the first one's download goes on.
  proxy.fault = onlyFor("blobs", trickles(5, 50));
  await Promise.all(Array.from({ length: 20 }, () => pullImage(edge().port, `${prefix}/team/stormed`, "1")));
  expect(Math.max(...blobs.map(({ digest }) => asked("GET", digest)))).toBeLessThanOrEqual(2);
  expect(asked("GET", image.digest) + asked("GET", "/manifests/1")).toBeLessThanOrEqual(2);
  expect(asked("HEAD", "/manifests/1")).toBeLessThanOrEqual(2);
});

it("forty pulls of a tag that is not fresh look at the upstream a few times", async () => {
  await pushLayers(origin.client, "team/stale", "1", [1000], 9);
  const pull = () => exchange(edge().port, "GET", `/v2/${stale}/team/stale/manifests/1`);
  expect((await pull()).status).toBe(200);
  proxy.forget();
  proxy.fault = delays(200);
  const answers = await Promise.all(Array.from({ length: 40 }, pull));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(proxy.seen.length).toBeGreaterThan(0);
  expect(proxy.seen.length).toBeLessThanOrEqual(3);
});

describe("a client that does not read on", () => {
  it("keeps nobody else waiting, and gets the rest when it does", async () => {
    const { digest, name, path } = await pushLayer("team/slow", 48 * mebibyte, 3);
    const slow = await openDownload(edge().port, path);
    await slow.begin();
    await Promise.all([1, 2, 3].map(() => pullBlob(edge().port, name, digest)));
    expect((await slow.finish()).byteLength).toBe(48 * mebibyte);
  });
});

describe("a client that hangs up in the middle of a blob", () => {
  it("leaves nothing that is in the way of the next one", async () => {
    const { digest, name, path } = await pushLayer("team/aborted", 4 * mebibyte, 4);
    proxy.fault = onlyFor("blobs", stalls);
    const first = await openDownload(edge().port, path);
    await first.begin();
    first.abort();
    proxy.fault = honest;
    await pullBlob(edge().port, name, digest);
    // It is held, whole.
    await proxy.kill();
    await pullBlob(edge().port, name, digest);
    await proxy.revive();
  });

  it("does not end the download of another one", async () => {
    const { path } = await pushLayer("team/shared", 4 * mebibyte, 5);
    proxy.fault = onlyFor("blobs", trickles(20, 50));
    const first = await openDownload(edge().port, path);
    const second = openDownload(edge().port, path);
    await first.begin();
    first.abort();
    expect((await (await second).finish()).byteLength).toBe(4 * mebibyte);
  });
});

it("an upstream that dies in the middle of a blob leaves nothing either", async () => {
  const { digest, name, path } = await pushLayer("team/died", 4 * mebibyte, 6);
  proxy.fault = onlyFor("blobs", stalls);
  const download = await openDownload(edge().port, path);
  await download.begin();
  await proxy.kill();
  await expect(download.finish()).rejects.toThrow();
  await proxy.revive();
  proxy.fault = honest;
  await pullBlob(edge().port, name, digest);
});

describe("the first pull", () => {
  it("streams: the beginning arrives while the upstream has not sent the rest", async () => {
    const { path } = await pushLayer("team/streamed", mebibyte, 7);
    proxy.fault = onlyFor("blobs", stalls);
    const download = await openDownload(edge().port, path);
    await download.begin();
    expect(download.status).toBe(200);
    download.abort();
  });

  it("fetches what was asked for and nothing else", async () => {
    const { image, blobs } = await pushLayers(origin.client, "team/sparse", "1", [10_000, 20_000], 8);
    const at = `/v2/${prefix}/team/sparse`;
    const [, wanted, other] = blobs;
    expect((await exchange(edge().port, "GET", `${at}/manifests/1`)).status).toBe(200);
    const head = await exchange(edge().port, "HEAD", `${at}/blobs/${wanted?.digest}`);
    expect(head.header("Content-Length")).toBe("10000");
    expect(asked("GET", wanted?.digest ?? "")).toBe(0);
    const part = await exchange(edge().port, "GET", `${at}/blobs/${wanted?.digest}`, [
      ["Range", "bytes=5-9"],
    ]);
    expect([part.status, part.header("Content-Range")]).toEqual([206, "bytes 5-9/10000"]);
    expect(part.body.equals(wanted?.bytes.subarray(5, 10) ?? new Uint8Array())).toBe(true);
    expect(asked("GET", other?.digest ?? "")).toBe(0);
    expect(asked("GET", image.digest) + asked("GET", "/manifests/1")).toBe(1);
  });
});
