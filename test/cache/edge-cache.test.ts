import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Config } from "../../src/config.ts";
import { faults } from "../doubles/faults.ts";
import { counted } from "../doubles/rounds.ts";
import { blobOf, expectStatus, noise, pushBlob, pushImage, putManifest } from "../support/content.ts";
import { type Client, createClient, createTestRegistry, type TestRegistry } from "../support/registry.ts";

function createWorld(config: Partial<Config> = {}): TestRegistry {
  return createTestRegistry({ edgeCache: true, config });
}

/** What a GET answers: status, body and the headers that Skerry sets. */
async function get(client: Client, path: string) {
  const response = await client.ask(`GET ${path}`);
  const names = ["Content-Type", "Content-Length", "Docker-Content-Digest", "ETag", "Cache-Control", "Vary"];
  return {
    status: response.status,
    headers: names.map((name) => response.headers.get(name)),
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** Pushes an image and a blob, and gives their paths by digest. */
async function pushed(client: Client, name = "app") {
  const image = await pushImage(client, name, "1", "a");
  const blob = await blobOf(noise(3000));
  await expectStatus(pushBlob(client, name, blob), 201);
  return {
    image,
    blob,
    manifest: `/v2/${name}/manifests/${image.digest}`,
    tag: `/v2/${name}/manifests/1`,
    layer: `/v2/${name}/blobs/${blob.digest}`,
  };
}

describe.each(["manifest", "layer"] as const)("a copy of a %s", (what) => {
  it("answers the second GET as the first was, without asking R2", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    const first = await get(world.client("one"), path);
    expect(first.status).toBe(200);
    const { A, B, cache, result } = await counted(world.gate, () => get(world.client("two"), path));
    expect(result).toEqual(first);
    expect({ A, B, cache }).toEqual({ A: 0, B: 0, cache: 1 });
  });

  it("is not shown to those who may not pull", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    await get(world.client(), path);
    const stranger = world.client("stranger", { anonymous: "none" });
    const { cache, result } = await counted(world.gate, () => get(stranger, path));
    expect([result.status, cache]).toEqual([401, 0]);
  });

  it("is not shown in another repository", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    await get(world.client(), path);
    await pushImage(world.client(), "other", "1", "b");
    expect((await get(world.client(), path.replace("/app/", "/other/"))).status).toBe(404);
  });

  it("is gone with its original, for every isolate of the data centre", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    await get(world.client("one"), path);
    await expectStatus(world.client("two").ask(`DELETE ${path}`), 202);
    expect((await get(world.client("one"), path)).status).toBe(404);
  });

  it("does not stay when its original is deleted while it is made", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    const deleted = Promise.withResolvers<undefined>();
    const copying = Promise.withResolvers<void>();
    world.gate.policy = ({ operation }) => {
      if (operation.store !== "cache" || operation.kind !== "put") return undefined;
      copying.resolve();
      return deleted.promise;
    };
    const reading = get(world.client("reader"), path);
    await copying.promise;
    await expectStatus(world.client("deleter").ask(`DELETE ${path}`), 202);
    deleted.resolve(undefined);
    expect((await reading).status).toBe(200);
    expect(world.cache.copies.size).toBe(0);
  });

  it("does not stay when nobody can tell whether its original is there", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    let made = false;
    world.gate.policy = faults([
      {
        when: "before",
        matching: ({ store, kind }) => {
          made ||= store === "cache" && kind === "put";
          return made && store === "R2";
        },
      },
    ]);
    expect((await get(world.client(), path)).status).toBe(200);
    expect([made, world.cache.copies.size]).toEqual([true, 0]);
  });

  it("is served elsewhere after a deletion, but no longer than CACHE_TTL", async () => {
    const world = createWorld({ cacheTtl: 60 });
    const path = (await pushed(world.client()))[what];
    await get(world.client(), path);
    const elsewhere = createClient({
      bucket: world.r2.actor("elsewhere"),
      kv: world.kv.actor("elsewhere"),
      clock: world.clock,
    });
    await expectStatus(elsewhere.ask(`DELETE ${path}`), 202);
    world.clock.advance(59_000);
    expect((await get(world.client(), path)).status).toBe(200);
    world.clock.advance(1000);
    expect((await get(world.client(), path)).status).toBe(404);
  });

  it("is made once, however many ask an isolate at the same time", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    const client = world.client();
    const { operations } = await counted(world.gate, () =>
      Promise.all([1, 2, 3].map(() => get(client, path))),
    );
    expect(operations.filter((operation) => operation.startsWith("cache put"))).toHaveLength(1);
  });

  it("is not needed: a cache that fails changes no answer", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    const plain = await get(createTestRegistryClient(world), path);
    world.gate.policy = faults([{ when: "before", matching: ({ store }) => store === "cache" }]);
    for (const _ of [1, 2]) expect(await get(world.client(), path)).toEqual(plain);
    await expectStatus(world.client().ask(`DELETE ${path}`), 202);
    expect((await get(world.client(), path)).status).toBe(404);
  });

  it("is tried once where the cache keeps nothing", async () => {
    const world = createWorld();
    const path = (await pushed(world.client()))[what];
    const idle = { match: async () => undefined, put: async () => undefined, delete: async () => false };
    const platform = { bucket: world.r2.actor("idle"), kv: world.kv.actor("idle"), cache: idle };
    const client = createClient({ ...platform, clock: world.clock });
    const first = await get(client, path);
    const { B, result } = await counted(world.gate, () => get(client, path));
    expect(result).toEqual(first);
    expect(B).toBe(2);
  });

  it("is not made with CACHE_TTL=0", async () => {
    const world = createWorld({ cacheTtl: 0 });
    const path = (await pushed(world.client()))[what];
    const { B, cache } = await counted(world.gate, () => get(world.client(), path));
    expect({ B, cache }).toEqual({ B: 2, cache: 0 });
  });

  it("works on the platform's cache", async () => {
    const platform = { bucket: env.BUCKET, kv: env.TAGS, cache: caches.default };
    const clock = { now: () => Date.now(), sleep: async () => undefined };
    const client = createClient({ ...platform, clock });
    const path = (await pushed(client))[what];
    const first = await get(client, path);
    expect(first.status).toBe(200);
    const blind = createClient({ ...platform, bucket: unusable(env.BUCKET), clock });
    expect(await get(blind, path)).toEqual(first);
    await expectStatus(client.ask(`DELETE ${path}`), 202);
    expect((await get(client, path)).status).toBe(404);
  });
});

/** A client without a cache, over the same bucket. */
function createTestRegistryClient(world: TestRegistry): Client {
  return createClient({ bucket: world.r2.actor("plain"), kv: world.kv.actor("plain"), clock: world.clock });
}

/** A bucket that no request gets to read. */
function unusable(bucket: R2Bucket): R2Bucket {
  return new Proxy(bucket, {
    get: () => () => Promise.reject(new Error("the bucket is not to be asked")),
  });
}

it("copies no blob above CACHE_BLOB_MAX", async () => {
  const world = createWorld({ cacheBlobMax: 2999 });
  const { layer } = await pushed(world.client());
  await get(world.client(), layer);
  expect(world.cache.copies.size).toBe(0);
});

it("copies nothing but what a GET by digest gave in full", async () => {
  const world = createWorld();
  const client = world.client();
  const { manifest, tag, layer } = await pushed(client);
  const missing = `sha256:${"0".repeat(64)}`;
  const requests = [
    `GET ${tag}`,
    `HEAD ${tag}`,
    `HEAD ${manifest}`,
    `HEAD ${layer}`,
    `GET /v2/app/manifests/${missing}`,
    `GET /v2/app/blobs/${missing}`,
    "GET /v2/app/tags/list",
    "GET /v2/_catalog",
    `GET /v2/app/referrers/${missing}`,
  ];
  for (const request of requests) await client.ask(request);
  await expectStatus(client.ask(`GET ${layer}`, { headers: { Range: "bytes=0-9" } }), 206);
  expect([...world.cache.copies]).toEqual([]);
});

it("serves no copy that has another digest", async () => {
  const world = createWorld();
  const client = world.client();
  const { manifest } = await pushed(client);
  const first = await get(client, manifest);
  const [url] = world.cache.copies.keys();
  const headers = { "Content-Type": "a/b", "Cache-Control": "max-age=60" };
  await world.cache.actor("another Worker").put(url ?? "", new Response("{}", { headers }));
  expect(await get(client, manifest)).toEqual(first);
});

describe("a tag whose record is missing", () => {
  it("finds the manifest in the data centre", async () => {
    const world = createWorld({ kvRecords: false });
    const client = world.client();
    const { tag } = await pushed(client);
    const first = await get(client, tag);
    const { B, cache, result } = await counted(world.gate, () => get(client, tag));
    expect(result).toEqual(first);
    expect({ B, cache }).toEqual({ B: 1, cache: 1 });
  });

  it("is not answered from a copy of an earlier life of the manifest", async () => {
    const world = createWorld({ kvRecords: false });
    const elsewhere = createTestRegistryClient(world);
    const { image, manifest, tag } = await pushed(world.client());
    await get(world.client(), manifest);
    await expectStatus(elsewhere.ask(`DELETE ${manifest}`), 202);
    await expectStatus(putManifest(elsewhere, "app", "1", image), 201);
    const { B } = await counted(world.gate, () => get(world.client(), tag));
    expect(B).toBeGreaterThan(1);
    const after = await counted(world.gate, () => get(world.client(), tag));
    expect(after.B).toBe(1);
  });
});
