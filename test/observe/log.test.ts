import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Config } from "../../src/config.ts";
import { columns } from "../../src/observe/data-point.ts";
import { VirtualClock } from "../doubles/clock.ts";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import { blobOf, expectStatus, pushBlob, pushImage } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

let lines: string[];
let points: AnalyticsEngineDataPoint[];

beforeEach(() => {
  lines = [];
  points = [];
});

function createWorld(config: Partial<Config> = {}, clock?: VirtualClock) {
  const world = createTestRegistry({
    ...(clock && { clock }),
    edgeCache: true,
    config,
    platform: {
      log: (line) => lines.push(line),
      metrics: { writeDataPoint: (point = {}) => void points.push(point) },
    },
  });
  return { ...world, client: world.client() };
}

function logged(): readonly Record<string, unknown>[] {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The last data point, by the names of its columns. */
function lastPoint(): Readonly<Record<string, string | number | null>> {
  const { indexes = [], blobs = [], doubles = [] } = points.at(-1) ?? {};
  const bySql = new Map<string, string | number | null>(
    Object.entries({ index: indexes, blob: blobs, double: doubles }).flatMap(([kind, values]) =>
      values.map((value, index) => [`${kind}${index + 1}`, value as string | number | null] as const),
    ),
  );
  expect([...bySql.keys()].sort()).toEqual(Object.keys(columns).sort());
  return Object.fromEntries(
    Object.entries(columns).map(([column, name]) => [name, bySql.get(column) ?? null]),
  );
}

describe("the line of a request", () => {
  it("tells what it was, what it cost and what came of it", async () => {
    const { client, clock, gate } = createWorld();
    const image = await pushImage(client, "team/app", "1", "a");
    lines = [];
    gate.policy = () => {
      clock.advance(7);
      return undefined;
    };
    const headers = { "User-Agent": `docker/1 ${"x".repeat(500)}`, "CF-Ray": "ray-1" };
    await client.ask("GET /v2/team/app/manifests/1?n=secret", { headers });
    expect(logged()).toEqual([
      {
        event: "request",
        at: "2026-01-01T00:00:00.014Z",
        id: "ray-1",
        caller: "anonymous",
        scheme: "none",
        method: "GET",
        route: "/v2/:name/manifests/:reference",
        path: "/v2/team/app/manifests/1",
        repository: "team/app",
        reference: "tag",
        status: 200,
        bytesOut: image.bytes.byteLength,
        ms: 14,
        r2: { head: 1 },
        kv: { get: 1 },
        agent: headers["User-Agent"].slice(0, 200),
      },
    ]);
  });

  it.each([
    ["GET /v2/team/app/manifests/absent", { reference: "tag", status: 404, error: "MANIFEST_UNKNOWN" }],
    [
      `HEAD /v2/a/blobs/sha256:${"0".repeat(64)}`,
      { reference: "digest", error: "BLOB_UNKNOWN", bytesOut: 0 },
    ],
    ["PATCH /v2/a/blobs/uploads/x", { reference: "upload", route: "/v2/:name/blobs/uploads/:session" }],
    ["GET /v2/a/_skerry/tags/1/history", { reference: "tag", route: "/v2/:name/_skerry/tags/:tag/history" }],
    ["GET /v2/a/manifests/sha256:0", { reference: "digest", error: "DIGEST_INVALID" }],
    ["PUT /v2/_catalog", { route: "/v2/_catalog", error: "UNSUPPORTED", status: 405 }],
    ["GET /nowhere", { status: 404, caller: "unknown" }],
  ])("of %s has %j", async (request, part) => {
    const { client } = createWorld();
    await client.ask(request);
    expect(logged()).toMatchObject([part]);
    expect("repository" in (logged()[0] ?? {})).toBe(/^\w+ \/v2\/(a|team)/.test(request));
  });

  it("has an id of its own where Cloudflare gave none", async () => {
    const { client } = createWorld();
    await client.ask("GET /v2/");
    await client.ask("GET /v2/");
    expect(new Set(logged().map(({ id }) => id)).size).toBe(2);
  });

  it("counts the same operations as the gate does, for uploads with many parts too", async () => {
    const { client, gate } = createWorld({ singlePutLimit: 5 * 1024 * 1024 });
    const blob = await blobOf(new Uint8Array(11 * 1024 * 1024));
    await expectStatus(pushBlob(client, "app", blob), 201);
    const start = gate.trace.length;
    await expectStatus(
      pushImage(client, "app", "1", "a").then(() => client.ask("GET /v2/app/tags/list")),
      200,
    );
    const asked = gate.trace.slice(start).length;
    const counted = logged()
      .slice(2)
      .flatMap(({ r2, kv, cache }) => [r2, kv, cache])
      .flatMap((counts) => Object.values((counts ?? {}) as Record<string, number>))
      .reduce((sum, count) => sum + count, 0);
    // What goes on after the answer is not in the line: the proof of each of the two blobs is removed then.
    expect(counted).toBe(asked - 2);
    expect(logged()[1]).toMatchObject({ r2: { create: 1, part: 2, complete: 1 } });
  });

  it("has no operations of the work that goes on after the answer", async () => {
    const { client, gate } = createWorld();
    const { digest } = await pushImage(client, "app", "1", "a");
    lines = [];
    const start = gate.trace.length;
    await client.ask(`GET /v2/app/manifests/${digest}`);
    expect(logged()).toMatchObject([{ r2: { head: 1, get: 1 }, cache: { miss: 1 } }]);
    expect(gate.trace.length - start).toBe(6);
    lines = [];
    await client.ask(`GET /v2/app/manifests/${digest}`);
    expect(logged()).toMatchObject([{ cache: { hit: 1 } }]);
    expect(logged()[0]).not.toHaveProperty("r2");
  });

  it("keeps the counts of requests at the same time apart", async () => {
    const { client } = createWorld();
    await pushImage(client, "app", "1", "a");
    lines = [];
    await Promise.all([
      client.ask("GET /v2/app/manifests/1"),
      client.ask("HEAD /v2/app/manifests/1"),
      client.ask("GET /v2/"),
    ]);
    const counts = Object.fromEntries(
      logged().map(({ method, route, r2, kv }) => [`${method} ${route}`, { r2, kv }]),
    );
    expect(counts).toEqual({
      "GET /v2/:name/manifests/:reference": { r2: { head: 1 }, kv: { get: 1 } },
      "HEAD /v2/:name/manifests/:reference": { r2: { head: 1 } },
      "GET /v2": {},
    });
  });
});

describe("LOG", () => {
  const requests = [
    ["GET /v2/", undefined],
    ["POST /v2/app/blobs/uploads/", undefined],
    ["GET /v2/app/manifests/1", faults([{ when: "before" }])],
  ] as const;

  it.each([
    ["off", []],
    ["errors", [500]],
    ["audit", [202, 500]],
    ["requests", [200, 202, 500]],
  ] as const)("%s logs %j", async (log, statuses) => {
    const { client, gate } = createWorld({ log });
    for (const [request, policy] of requests) {
      gate.policy = policy ?? immediate;
      await client.ask(request);
    }
    expect(logged().map(({ status }) => status)).toEqual(statuses);
  });

  it("leaves out monitors, unless what they find is bad", async () => {
    const clock = new VirtualClock();
    const { client, gate } = createWorld({}, clock);
    for (const path of ["/livez", "/readyz", "/version"]) await expectStatus(client.ask(`GET ${path}`), 200);
    expect(lines).toEqual([]);
    gate.policy = faults([{ when: "before" }]);
    clock.advance(5000);
    await expectStatus(client.ask("GET /readyz"), 503);
    expect(logged()).toMatchObject([{ route: "/readyz", status: 503 }]);
  });
});

describe("a data point", () => {
  it("has the facts of the line, in the columns that the documentation names", async () => {
    const { client } = createWorld({ log: "off" });
    const image = await pushImage(client, "team/app", "1", "a");
    expect(lastPoint()).toMatchObject({
      route: "/v2/:name/manifests/:reference",
      method: "PUT",
      audit: "write",
    });
    expect(lastPoint()["R2 operations of class A"]).toBeGreaterThan(3);
    await client.ask("GET /v2/team/app/manifests/1", { headers: { "User-Agent": "crane" } });
    expect(lastPoint()).toEqual({
      "repository, its first 96 bytes": "team/app",
      route: "/v2/:name/manifests/:reference",
      method: "GET",
      status: "200",
      error: "",
      repository: "team/app",
      reference: "tag",
      caller: "anonymous",
      audit: "",
      agent: "crane",
      ms: 0,
      "bytes in": 0,
      "bytes out": image.bytes.byteLength,
      "R2 operations of class A": 0,
      "R2 operations of class B": 1,
      "KV reads": 1,
      "KV writes and deletes": 0,
      "cache hits": 0,
      "cache misses": 0,
    });
    await client.ask(`GET /v2/${"a".repeat(120)}/tags/list`);
    expect(points.at(-1)?.indexes).toEqual(["a".repeat(96)]);
  });

  it("that is refused fails no request, nor what goes on after it", async () => {
    const reported = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const world = createTestRegistry({
      edgeCache: true,
      platform: {
        metrics: {
          writeDataPoint: () => {
            throw new TypeError("too many bytes");
          },
        },
      },
    });
    const { digest } = await pushImage(world.client(), "app", "1", "a");
    await expectStatus(world.client().ask(`GET /v2/app/manifests/${digest}`), 200);
    expect(world.gate.trace.some(({ store, kind }) => `${store} ${kind}` === "cache put")).toBe(true);
    expect(reported).toHaveBeenCalled();
    reported.mockRestore();
  });
});
