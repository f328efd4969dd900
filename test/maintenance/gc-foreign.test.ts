import { describe, expect, it } from "vitest";
import { consumeBucketEvents } from "../../src/maintenance/events/consume.ts";
import type { GcPolicy } from "../../src/maintenance/gc/collector.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import { parseRepositoryName } from "../../src/oci/name.ts";
import { messagesOf } from "../support/bucket-events.ts";
import { blobOf, expectStatus, imageOf, pushBlob, pushImage, type TestBlob } from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

const hour = 3600 * 1000;
const day = 24 * hour;
const app = parseRepositoryName("app");

interface World extends TestRegistry {
  readonly skerry: Client;
  readonly distribution: Distribution;
  /** A whole pass of garbage collection, and then two days. */
  pass(): Promise<void>;
  isThere(blob: TestBlob): Promise<boolean>;
}

function createWorld(foreignWrites: NonNullable<GcPolicy["foreignWrites"]>): World {
  const world = createTestRegistry();
  const skerry = world.client();
  const { store } = skerry.registry;
  const policy = { grace: day, keepTombstones: 2 * day, uploadAge: 8 * day, foreignWrites };
  return {
    ...world,
    client: world.client,
    skerry,
    distribution: new Distribution(world.r2.actor("distribution")),
    async pass() {
      for (;;) {
        const { phase } = await runGcStep(store, { policy, operations: 100_000, every: 0 });
        if (phase === "done") break;
      }
      world.clock.advance(2 * day);
    },
    isThere: async ({ digest }) => (await store.bucket.head(store.layout.blobData(digest))) !== null,
  };
}

/** A blob that nobody refers to, in a repository with an image. */
async function garbageIn({ skerry }: World): Promise<TestBlob> {
  const blob = await blobOf("unreferenced");
  await pushImage(skerry, "app", "1", "a");
  await expectStatus(pushBlob(skerry, "app", blob), 201);
  return blob;
}

describe("garbage collection beside another registry", () => {
  it("takes no link, claim or bytes where nothing tells of its writes", async () => {
    const world = createWorld("allowed");
    const blob = await garbageIn(world);
    for (let pass = 0; pass < 6; pass++) await world.pass();
    await expectStatus(world.skerry.ask(`HEAD /v2/app/blobs/${blob.digest}`), 200);
    const { layout } = world.skerry.registry.store;
    expect(await world.r2.actor("observer").head(layout.owner(blob.digest, app))).not.toBeNull();
    expect(await world.isThere(blob)).toBe(true);
  });

  it("takes what is garbage as ever where events tell of its writes, and none came for the grace", async () => {
    const world = createWorld("events");
    const blob = await garbageIn(world);
    for (let pass = 0; pass < 6; pass++) await world.pass();
    expect(await world.isThere(blob)).toBe(false);
  });

  it("takes no bytes while foreign writes come, and what a late event tells of is whole again", async () => {
    const world = createWorld("events");
    const { distribution, skerry } = world;
    const blob = await garbageIn(world);
    const options = { operations: 10_000, isImmutable: () => false };
    for (let pass = 0; pass < 6; pass++) {
      const before = world.gate.trace.length;
      await distribution.image("busy", [String(pass)], `push ${pass}`);
      const messages = messagesOf(world.gate.trace.slice(before));
      await consumeBucketEvents(skerry.registry.store, messages, options);
      await world.pass();
    }
    expect(await world.isThere(blob)).toBe(true);
    // The link is swept by now, and distribution relies on the bytes that it found.
    await expectStatus(skerry.ask(`HEAD /v2/app/blobs/${blob.digest}`), 404);
    const before = world.gate.trace.length;
    const image = await imageOf(await blobOf('{"seed":"a"}'), [blob]);
    await distribution.manifest("app", image, "2");
    await consumeBucketEvents(skerry.registry.store, messagesOf(world.gate.trace.slice(before)), options);
    await expectStatus(skerry.ask(`GET /v2/app/blobs/${blob.digest}`), 200);
    for (let pass = 0; pass < 6; pass++) await world.pass();
    await expectStatus(skerry.ask(`GET /v2/app/blobs/${blob.digest}`), 200);
  });

  it("finds a repository of which every event was lost, before it takes bytes", async () => {
    const world = createWorld("events");
    const { distribution, skerry } = world;
    await world.pass();
    const image = await distribution.image("unheard-of", ["1"], "lost");
    for (let pass = 0; pass < 6; pass++) await world.pass();
    const { layers } = JSON.parse(new TextDecoder().decode(image.bytes));
    await expectStatus(skerry.ask(`GET /v2/unheard-of/blobs/${layers[0].digest}`), 200);
    await expectStatus(skerry.ask("GET /v2/unheard-of/manifests/1"), 200);
  });
});
