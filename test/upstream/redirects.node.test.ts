import { afterEach, beforeEach, expect, it } from "vitest";
import { errorsOf } from "../support/answers.ts";
import { exchange } from "../wire/connection.ts";
import { useEdge } from "./edge.ts";
import { entryOf } from "./edge-entry.ts";
import { type FaultProxy, honest, startFaultProxy } from "./fault-proxy.ts";
import { cuts, flips, onlyFor, redirects } from "./faults.ts";
import { type PushedImage, pullBlob, pushLayers } from "./pulls.ts";
import { skerryOrigin } from "./skerry-origin.ts";

const prefix = "mirror.example";
const origin = skerryOrigin();
let proxy: FaultProxy;
let storage: FaultProxy;
let seed = 0;
let pushed: PushedImage;
let digest: string;

const edge = useEdge(
  () => [proxy, storage],
  async () => {
    proxy = await startFaultProxy(origin.answer);
    storage = await startFaultProxy(origin.answer);
    return { upstreams: [entryOf(prefix, proxy)] };
  },
);

beforeEach(async () => {
  seed++;
  pushed = await pushLayers(origin.client, `team/app${seed}`, "1", [50_000], seed);
  digest = pushed.blobs[1]?.digest ?? "";
});

afterEach(() => {
  for (const each of [proxy, storage]) {
    each.fault = honest;
    each.forget();
  }
});

const name = () => `${prefix}/team/app${seed}`;
const blob = () => exchange(edge().port, "GET", `/v2/${name()}/blobs/${digest}`);

it.each([301, 302, 303, 307, 308])("a blob that lies elsewhere is fetched from there: %i", async (status) => {
  proxy.fault = onlyFor(
    "blobs",
    redirects(({ path }) => `${storage.url}${path}`, status),
  );
  await pullBlob(edge().port, name(), digest);
  expect(storage.seen.map(({ method }) => method)).toEqual(["GET"]);
});

it("a relative address is one of the upstream's own", async () => {
  const moves = redirects(({ path }) => `${path}?moved=1`);
  proxy.fault = onlyFor("blobs", (exchange) =>
    exchange.request.path.includes("?") ? exchange.pass() : moves(exchange),
  );
  await pullBlob(edge().port, name(), digest);
});

it.each([
  ["in a circle", () => redirects(({ path }) => `${proxy.url}${path}`)],
  ["to a file", () => redirects("file:///etc/passwd")],
  ["to another protocol", () => redirects("ftp://127.0.0.1/blob")],
  ["to nothing", () => redirects("http://")],
] as const)("a redirect %s is followed no further, and tells the client nothing", async (_, fault) => {
  proxy.fault = onlyFor("blobs", fault());
  const answer = await blob();
  expect(answer.status).toBe(502);
  expect(errorsOf(answer.body.toString())[0]?.code).toBe("UNKNOWN");
  expect(answer.body.toString()).not.toMatch(/passwd|ftp|127\.0\.0\.1/);
  expect(proxy.seen.length).toBeLessThanOrEqual(10);
  proxy.fault = honest;
  await pullBlob(edge().port, name(), digest);
});

it.each([
  ["lies", flips],
  ["hangs up", cuts],
] as const)("a storage that %s is no better than an upstream that does", async (_, fault) => {
  proxy.fault = onlyFor(
    "blobs",
    redirects(({ path }) => `${storage.url}${path}`),
  );
  storage.fault = fault;
  await expect(blob()).rejects.toThrow("the connection ended");
  storage.fault = honest;
  await pullBlob(edge().port, name(), digest);
});

it("a storage that is gone is an upstream that fails", async () => {
  proxy.fault = onlyFor(
    "blobs",
    redirects(({ path }) => `${storage.url}${path}`),
  );
  await storage.kill();
  expect((await blob()).status).toBeGreaterThan(500);
  await storage.revive();
  await pullBlob(edge().port, name(), digest);
});
