import { describe, expect, it } from "vitest";
import type { GcPolicy } from "../../../src/maintenance/gc/collector.ts";
import { runGcStep } from "../../../src/maintenance/gc/run.ts";
import { parseRepositoryName, type RepositoryName } from "../../../src/oci/name.ts";
import { readLink } from "../../../src/storage/link.ts";
import { immediate } from "../../doubles/gate.ts";
import { nothingMoves } from "../../doubles/rounds.ts";
import { blobOf, expectStatus, noise, pushBlob, pushImage, type TestBlob } from "../../support/content.ts";
import { createWorld, keysOf, type World } from "./world.ts";

const day = 24 * 3600 * 1000;
const policy: GcPolicy = { grace: day, keepTombstones: 2 * day, uploadAge: 8 * day };

/** One pass of the collector, by an isolate of its own. */
async function collect({ edge }: World): Promise<void> {
  const { store } = edge.client("collector").registry;
  for (let steps = 0; steps < 50; steps++) {
    const { phase } = await runGcStep(store, { policy, operations: 100_000, every: 0, dryRun: false });
    if (phase === "done") return;
  }
  throw new Error("the pass does not end");
}

async function collectFor(world: World, passes: number): Promise<void> {
  for (let each = 0; each < passes; each++) {
    await collect(world);
    world.edge.clock.advance(2 * day);
  }
}

/** Pulls, and lets all that goes on after it end. */
async function pull({ client }: World, path: string) {
  const answer = await client.fetch(`GET ${path}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  await nothingMoves();
  return { status: answer.status, bytes };
}

async function keysAbout(world: World, { digest }: TestBlob): Promise<readonly string[]> {
  return (await keysOf(world)).filter((key) => key.includes(digest.slice("sha256:".length)));
}

/** What must hold at any time: a live link leads to bytes. */
async function expectSound(world: World, blob: TestBlob, name: RepositoryName): Promise<void> {
  const { store } = world.client.registry;
  const { target } = await readLink(store, store.layout.layerLink(name, blob.digest), blob.digest);
  if (target === undefined) return;
  expect((await keysAbout(world, blob)).some((key) => key.endsWith("/data"))).toBe(true);
}

describe("a blob that was pulled", () => {
  it("stays as long as a manifest refers to it, and goes when none does", async () => {
    const world = createWorld();
    await pushImage(world.origin, "app", "1", "a");
    const manifest = await world.client.ask("GET /v2/up/app/manifests/1");
    const { layers } = await manifest.json<{ layers: readonly { readonly digest: string }[] }>();
    const kept = layers[0]?.digest ?? "";
    const stray = await blobOf(noise(70_000, 1));
    await expectStatus(pushBlob(world.origin, "app", stray), 201);
    for (const digest of [kept, stray.digest]) await pull(world, `/v2/up/app/blobs/${digest}`);
    expect(await keysAbout(world, stray)).toHaveLength(3);
    await collectFor(world, 6);
    expect(await keysAbout(world, stray)).toEqual([]);
    world.sent.length = 0;
    expect((await pull(world, `/v2/up/app/blobs/${kept}`)).status).toBe(200);
    expect(world.asked()).toEqual([]);
    expect(await pull(world, `/v2/up/app/blobs/${stray.digest}`)).toEqual({
      status: 200,
      bytes: stray.bytes,
    });
    expect(await keysAbout(world, stray)).toHaveLength(3);
  });
});

/** What a pass beside the pull finds: the blob came to another repository so many passes ago, or never. */
const pasts = [undefined, 0, 1, 2, 3, 4, 5];

async function prepare(passes: number | undefined) {
  const world = createWorld();
  const blob = await blobOf(noise(70_000, 3));
  for (const name of ["app", "copy"]) await expectStatus(pushBlob(world.origin, name, blob), 201);
  if (passes !== undefined) {
    await pull(world, `/v2/up/copy/blobs/${blob.digest}`);
    await collectFor(world, passes);
  }
  return { world, blob, path: `/v2/up/app/blobs/${blob.digest}` };
}

describe("a first pull before any one operation of a pass", () => {
  it.each(pasts)("brings the blob, and makes no link without bytes, after %s passes", async (passes) => {
    let operations = 1;
    for (let at = 0; at < operations; at++) {
      const { world, blob, path } = await prepare(passes);
      let count = 0;
      let pulled: unknown;
      world.edge.gate.policy = async ({ operation }) => {
        if (operation.actor === "collector" && count++ === at) pulled = await pull(world, path);
        return undefined;
      };
      await collect(world);
      world.edge.gate.policy = immediate;
      operations = count;
      expect(pulled).toEqual({ status: 200, bytes: blob.bytes });
      await expectSound(world, blob, parseRepositoryName("up/app"));
      expect(await pull(world, path)).toEqual({ status: 200, bytes: blob.bytes });
    }
    expect(operations).toBeGreaterThan(6);
  });
});
