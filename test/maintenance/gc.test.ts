import { describe, expect, it } from "vitest";
import type { GcPolicy } from "../../src/maintenance/gc/collector.ts";
import { readReports, runGcStep } from "../../src/maintenance/gc/run.ts";
import type { GcState } from "../../src/maintenance/gc/state.ts";
import { digestFrom } from "../../src/oci/digest.ts";
import { parseRepositoryName } from "../../src/oci/name.ts";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import { counted } from "../doubles/rounds.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  indexOf,
  noise,
  pushBlob,
  pushImage,
  putManifest,
} from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

const hour = 3600 * 1000;
const day = 24 * hour;
const policy: GcPolicy = { grace: day, keepTombstones: 2 * day, uploadAge: 8 * day };

/** One whole pass, in steps of so many operations. */
async function pass(world: TestRegistry, client: Client, operations = 100_000): Promise<GcState> {
  let state = await step(client, operations);
  for (let steps = 0; state.phase !== "done"; steps++) {
    if (steps > 500) throw new Error("the pass does not end");
    state = await step(client, operations);
  }
  world.clock.advance(hour);
  return state;
}

function step(client: Client, operations: number, dryRun = false): Promise<GcState> {
  return runGcStep(client.registry.store, { policy, operations, every: 0, dryRun });
}

/** Passes until garbage that there is at the beginning is gone: first sight, grace, removal, and the data's own. */
async function settle(world: TestRegistry, client: Client): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await pass(world, client);
    world.clock.advance(2 * day);
  }
}

async function keysOf(world: TestRegistry): Promise<string[]> {
  const page = await world.r2.actor("observer").list({ prefix: "docker/" });
  return page.objects.map(({ key }) => key.slice("docker/registry/v2/".length));
}

const bookkeeping = /^skerry\/(adopt|gc|keys)\//;

describe("garbage collection", () => {
  it("takes a deleted image: links, claims, bytes, tombstones, catalog entry; and nothing else", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const kept = await pushImage(client, "kept", "1", "kept");
    const before = (await keysOf(world)).filter((key) => !bookkeeping.test(key));
    const gone = await pushImage(client, "gone", "1", "gone");
    await client.ask(`DELETE /v2/gone/manifests/${gone.digest}`);
    await settle(world, client);
    expect((await keysOf(world)).filter((key) => !bookkeeping.test(key))).toEqual(before);
    expect((await client.ask(`GET /v2/kept/manifests/${kept.digest}`)).status).toBe(200);
  });

  it("takes nothing before the grace is over, counted from the pass that first saw it", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf("unreferenced");
    await pushBlob(client, "app", blob);
    await pushImage(client, "app", "1", "a");
    world.clock.advance(30 * day);
    await pass(world, client);
    world.clock.advance(policy.grace - 2 * hour);
    await pass(world, client);
    expect((await client.ask(`HEAD /v2/app/blobs/${blob.digest}`)).status).toBe(200);
    world.clock.advance(2 * hour);
    await pass(world, client);
    expect((await client.ask(`HEAD /v2/app/blobs/${blob.digest}`)).status).toBe(404);
  });

  it("starts the grace anew for a blob that was referred to in between", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const config = await blobOf("{}");
    await pushBlob(client, "app", config);
    await pushImage(client, "app", "other", "a");
    await pass(world, client);
    world.clock.advance(2 * day);
    const image = await imageOf(config, []);
    await expectStatus(putManifest(client, "app", "1", image), 201);
    await pass(world, client);
    await client.ask(`DELETE /v2/app/manifests/${image.digest}`);
    await pass(world, client);
    expect((await client.ask(`HEAD /v2/app/blobs/${config.digest}`)).status).toBe(200);
    world.clock.advance(2 * day);
    await pass(world, client);
    expect((await client.ask(`HEAD /v2/app/blobs/${config.digest}`)).status).toBe(404);
  });

  it("keeps what index children refer to, and blobs that another repository mounted", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const child = await pushImage(client, "app", undefined, "child");
    const index = await indexOf([child]);
    await expectStatus(putManifest(client, "app", "1", index), 201);
    const shared = await blobOf("shared");
    await pushBlob(client, "source", shared);
    await expectStatus(client.ask(`POST /v2/app/blobs/uploads/?mount=${shared.digest}&from=source`), 201);
    await expectStatus(putManifest(client, "app", "mounted", await imageOf(shared, [])), 201);
    await client.ask(`DELETE /v2/source/blobs/${shared.digest}`);
    await settle(world, client);
    const layer = await blobOf("layer of child");
    for (const digest of [layer.digest, shared.digest]) {
      expect((await client.ask(`GET /v2/app/blobs/${digest}`)).status).toBe(200);
    }
  });

  it("finds blobs of a repository to which no manifest was ever pushed", async () => {
    const world = createTestRegistry();
    const client = world.client();
    await pushBlob(client, "blobs-only", await blobOf("x"));
    await settle(world, client);
    expect((await keysOf(world)).filter((key) => !bookkeeping.test(key))).toEqual([]);
  });

  it.each(["app", "nothing/else"])(
    "takes what abandoned uploads to %s left: segments, stored content without a session, claims",
    async (name) => {
      const world = createTestRegistry();
      const client = world.client();
      await pushImage(client, "app", "1", "a");
      const before = (await keysOf(world)).filter((key) => !bookkeeping.test(key));
      for (const body of ["abandoned", noise(2 * 1024 * 1024)]) {
        const started = await client.ask(`POST /v2/${name}/blobs/uploads/`);
        await expectStatus(client.ask(`PATCH ${started.headers.get("Location")}`, { body }), 202);
      }
      world.clock.advance(9 * day);
      await settle(world, client);
      expect((await keysOf(world)).filter((key) => !bookkeeping.test(key))).toEqual(before);
    },
  );

  it("takes parts that a client put into the bucket and never closed", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const offer = await client.ask("POST /v2/nothing/else/_skerry/uploads", {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sizes: [5] }),
    });
    const { preamble } = await offer.json<{ preamble: string }>();
    const { store } = client.registry;
    await store.bucket.put(store.layout.segment(parseRepositoryName("nothing/else"), preamble, 0), "bytes");
    world.clock.advance(9 * day);
    await settle(world, client);
    expect((await keysOf(world)).filter((key) => !bookkeeping.test(key))).toEqual([]);
  });

  it("gets to the same end in steps of few operations", async () => {
    const ends = [];
    for (const operations of [100_000, 90]) {
      const world = createTestRegistry();
      const client = world.client();
      for (const name of ["a", "b", "c/d"]) {
        await pushImage(client, name, "1", `${name} kept`);
        const gone = await pushImage(client, name, "2", `${name} gone`);
        await client.ask(`DELETE /v2/${name}/manifests/${gone.digest}`);
      }
      for (let round = 0; round < 5; round++) {
        await pass(world, client, operations);
        world.clock.advance(2 * day);
      }
      ends.push((await keysOf(world)).filter((key) => !bookkeeping.test(key)));
    }
    expect(ends[1]).toEqual(ends[0]);
  });

  it("gets done with the fewest operations: much garbage in one repository, many claims on one blob", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const kept = await pushImage(client, "app", "1", "kept");
    const config = await blobOf(`{"seed":"kept"}`);
    const layer = await blobOf("layer of kept");
    for (let index = 0; index < 60; index++) {
      await pushBlob(client, "app", await blobOf(`garbage ${index}`));
      const gone = await imageOf(config, [layer], { annotations: { index: String(index) } });
      await expectStatus(putManifest(client, "app", `gone-${index}`, gone), 201);
      await client.ask(`DELETE /v2/app/manifests/${gone.digest}`);
      await expectStatus(
        client.ask(`POST /v2/copy/${index}/blobs/uploads/?mount=${layer.digest}&from=app`),
        201,
      );
    }
    for (let round = 0; round < 6; round++) {
      await pass(world, client, 100);
      world.clock.advance(2 * day);
    }
    const { layout } = client.registry.store;
    const left = (await keysOf(world)).filter((key) => !bookkeeping.test(key));
    const expected = createTestRegistry();
    await pushImage(expected.client(), "app", "1", "kept");
    expect(left).toEqual((await keysOf(expected)).filter((key) => !bookkeeping.test(key)));
    expect(await world.r2.actor("observer").head(layout.blobData(kept.digest))).not.toBeNull();
  });

  it("goes on without a repository whose manifests a step cannot look through", async () => {
    const world = createTestRegistry({ r2: { pageWithMetadata: 1 } });
    const client = world.client();
    for (let index = 0; index < 70; index++) {
      await pushImage(client, "large", undefined, `${index}`);
    }
    await pushBlob(client, "small", await blobOf("garbage"));
    await pushImage(client, "small", "1", "kept");
    await pass(world, client, 100);
    world.clock.advance(2 * day);
    const state = await pass(world, client, 100);
    expect(state.report.notes).toContain("large: too large for the operations of a step");
    expect(state.report.counts).toMatchObject({ repositories: 1, layerLinks: 1 });
  });

  it("does not delete a manifest that was put again after the pass saw its tombstone", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const image = await pushImage(client, "app", "1", "a");
    const collector = world.client("collector");
    await pass(world, collector);
    await client.ask(`DELETE /v2/app/manifests/${image.digest}`);
    world.clock.advance(3 * day);
    const { bucket, layout } = client.registry.store;
    const app = parseRepositoryName("app");
    let hasBegun = false;
    world.gate.policy = async ({ operation }) => {
      // The pass has listed the revisions, and goes on with the layer links.
      if (hasBegun || operation.kind !== "list" || operation.keys[0] !== layout.layerLinks(app)) return;
      hasBegun = true;
      await expectStatus(putManifest(client, "app", "1", image), 201);
      return;
    };
    await pass(world, collector);
    expect(hasBegun).toBe(true);
    await expectStatus(client.ask("GET /v2/app/manifests/1"), 200);
    expect(await bucket.head(layout.owner(image.digest, app))).not.toBeNull();
  });

  it("does not bring back a removed tag whose link a request left that died", async () => {
    const world = createTestRegistry();
    const client = world.client();
    await pushImage(client, "app", "t", "a");
    world.gate.policy = faults([{ matching: ({ kind }) => kind === "delete", when: "before" }]);
    await expectStatus(client.ask("DELETE /v2/app/manifests/t"), 500);
    world.gate.policy = immediate;
    await settle(world, client);
    await expectStatus(client.ask("GET /v2/app/manifests/t"), 404);
    const keys = await keysOf(world);
    expect(keys.filter((key) => /_manifests\/tags|_skerry\/tags/.test(key))).toEqual([]);
  });

  it("in a dry run writes nothing and tells what would go", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const gone = await pushImage(client, "app", "1", "gone");
    await client.ask(`DELETE /v2/app/manifests/${gone.digest}`);
    await pass(world, client);
    world.clock.advance(3 * day);
    const summary = await counted(world.gate, () => step(client, 100_000, true));
    expect(summary.operations.filter((operation) => / (put|delete) /.test(operation))).toEqual([]);
    expect(summary.result.report.counts).toMatchObject({
      layerLinks: 2,
      manifestTombstones: 1,
      tagTombstones: 1,
    });
  });

  it("keeps its reports", async () => {
    const world = createTestRegistry();
    const client = world.client();
    await pushImage(client, "app", "1", "a");
    await pass(world, client);
    await pass(world, client);
    const reports = await readReports(client.registry.store);
    expect(reports).toHaveLength(2);
    expect(reports[0]).toMatchObject({ dryRun: false, counts: { repositories: 1, manifests: 1 } });
  });

  it("deletes no blob data in a pass that sees a link of another writer, and adopts that link", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const gone = await pushImage(client, "app", "1", "gone");
    await client.ask(`DELETE /v2/app/manifests/${gone.digest}`);
    await pushImage(client, "app", "2", "kept");
    for (let round = 0; round < 2; round++) {
      await pass(world, client);
      world.clock.advance(2 * day);
    }
    // distribution pushes a blob into the repository: a link without metadata, and no claim.
    const foreign = await blobOf("foreign");
    const bucket = world.r2.actor("distribution");
    const { layout } = client.registry.store;
    const app = parseRepositoryName("app");
    await bucket.put(layout.blobData(foreign.digest), foreign.bytes);
    await bucket.put(layout.layerLink(app, foreign.digest), foreign.digest);
    const state = await pass(world, client);
    expect(state.report.counts.blobs).toBe(0);
    expect(state.report.notes).toContain(
      "something was written beside Skerry: no blob data is deleted in this pass",
    );
    expect(await bucket.head(layout.owner(foreign.digest, app))).not.toBeNull();
  });

  it("takes blobs in spite of the links to nothing that distribution's own garbage collection leaves", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const gone = await pushImage(client, "app", "1", "gone");
    await client.ask(`DELETE /v2/app/manifests/${gone.digest}`);
    const dangling = digestFrom("sha256", "d".repeat(64));
    const { layout } = client.registry.store;
    const app = parseRepositoryName("app");
    const bucket = world.r2.actor("distribution");
    await bucket.put(layout.layerLink(app, dangling), dangling);
    await bucket.put(layout.revisionLink(app, dangling), dangling);
    await settle(world, client);
    expect(await bucket.head(layout.blobData(gone.digest))).toBeNull();
  });

  it("takes over what distribution wrote before it looks for what nobody needs", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const distribution = new Distribution(world.r2.actor("distribution"));
    const image = await distribution.image("app", ["1"], "a");
    await distribution.data(await blobOf("garbage"));
    await settle(world, client);
    await expectStatus(client.ask(`GET /v2/app/manifests/${image.digest}`), 200);
    const layer = await blobOf("layer of a");
    await expectStatus(client.ask(`GET /v2/app/blobs/${layer.digest}`), 200);
    const garbage = client.registry.store.layout.blobData((await blobOf("garbage")).digest);
    expect(await world.r2.actor("observer").head(garbage)).toBeNull();
  });

  it("takes over what distribution wrote beside Skerry, tags included, and keeps its blobs", async () => {
    const world = createTestRegistry();
    const client = world.client();
    await pushImage(client, "app", "1", "a");
    await pass(world, client);
    const distribution = new Distribution(world.r2.actor("distribution"));
    const image = await distribution.image("app", ["1", "2"], "foreign");
    await settle(world, client);
    for (const tag of ["1", "2"]) {
      const answer = await expectStatus(client.ask(`HEAD /v2/app/manifests/${tag}`), 200);
      expect(answer.headers.get("Docker-Content-Digest")).toBe(image.digest);
    }
    const layer = await blobOf("layer of foreign");
    await expectStatus(client.ask(`GET /v2/app/blobs/${layer.digest}`), 200);
  });

  it("leaves a repository alone in which a manifest cannot be read", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf("unreferenced");
    await pushBlob(client, "app", blob);
    await pushImage(client, "app", "1", "a");
    const { layout } = client.registry.store;
    const odd = digestFrom("sha256", "e".repeat(64));
    await world.r2.actor("vandal").put(layout.revisionLink(parseRepositoryName("app"), odd), "garbage");
    for (let round = 0; round < 4; round++) {
      const state = await pass(world, client);
      expect(state.report.notes).toContain(`app: unreadable: revision ${odd}`);
      world.clock.advance(2 * day);
    }
    expect((await client.ask(`HEAD /v2/app/blobs/${blob.digest}`)).status).toBe(200);
  });

  it("stops while another collector is at work, and takes over from a dead one", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf("unreferenced");
    await pushBlob(client, "app", blob);
    await pushImage(client, "app", "1", "a");
    await pass(world, client);
    world.clock.advance(2 * day);
    const at = String(world.clock.now());
    await world.r2
      .actor("other")
      .put(client.registry.store.layout.guard(), `{"state":"sweeping","at":${at}}`, {
        customMetadata: { state: "sweeping", at },
      });
    const state = await step(client, 100_000);
    expect(state.report.notes).toContain("another collector was at work");
    expect((await client.ask(`HEAD /v2/app/blobs/${blob.digest}`)).status).toBe(200);
    world.clock.advance(6 * 60_000);
    await step(client, 100_000);
    expect((await client.ask(`HEAD /v2/app/blobs/${blob.digest}`)).status).toBe(404);
  });

  it("costs 1.1 lists for 1,000 keys at most, and reads no manifest again: 10,000 manifests", async () => {
    const world = createTestRegistry({ r2: { pageWithMetadata: 1000 } });
    const client = world.client();
    const config = await blobOf("{}");
    await pushBlob(client, "app", config);
    const manifests = 10_000;
    for (let index = 0; index < manifests; index++) {
      const image = await imageOf(config, [], { annotations: { index: String(index) } });
      await expectStatus(putManifest(client, "app", image.digest, image), 201);
    }
    await pass(world, client);
    // A revision link, a blob and a claim each.
    const keys = 3 * manifests;
    const { operations, B, A } = await counted(world.gate, () => step(client, 100_000));
    const lists = operations.filter((operation) => operation.startsWith("R2 list"));
    expect(lists.length).toBeLessThanOrEqual((1.1 * keys) / 1000 + 10);
    expect(B).toBeLessThan(100);
    expect(A - lists.length).toBeLessThan(200);
  }, 60_000);
});
