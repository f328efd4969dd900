import { expect, it, vi } from "vitest";
import type { Importer } from "../../src/imports/importer.ts";
import type { GcPolicy } from "../../src/maintenance/gc/collector.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import { blobOf, expectStatus, imageOf, indexOf, noise, pushBlob, putManifest } from "../support/content.ts";
import { keysOf, type World } from "../upstream/unit/world.ts";
import {
  begin,
  createImportWorld,
  drive,
  pullWhole,
  pushUpstream,
  rangeSize,
  step,
  target,
  told,
} from "./world.ts";

const day = 24 * 3600 * 1000;
const policy: GcPolicy = { grace: day, keepTombstones: 2 * day, uploadAge: 8 * day };
/** So small that garbage collection comes between any two pieces of work. */
const tiny: Partial<Importer> = { allowance: { time: 20_000, requests: 1, operations: 900 } };

/** Passes with more than the grace between them: after four, what nothing needs is gone, bytes and all. */
async function collect({ edge }: World, passes = 4): Promise<void> {
  const { store } = edge.client("collector").registry;
  for (let pass = 0; pass < passes; pass++) {
    edge.clock.advance(1.1 * day);
    let phase: string;
    do {
      ({ phase } = await runGcStep(store, { policy, operations: 100_000, every: 0 }));
    } while (phase !== "done");
  }
}

async function prepare() {
  const world = createImportWorld();
  const pushed = await pushUpstream(world, { large: 2.5 * rangeSize });
  const index = await indexOf([pushed.image]);
  await expectStatus(putManifest(world.origin, "team/app", "all", index), 201);
  return { ...world, pushed: { ...pushed, image: index }, id: await begin(world, "up/team/app:all") };
}

it("brings again what garbage collection took between two of its steps", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const asked: number[] = [];
  for (let steps = 0; ; steps++) {
    const world = await prepare();
    let state: string | undefined = "open";
    for (let each = 0; each < steps; each++) state = (await step(world.client, world.id, tiny))?.state;
    if (state !== "open") break;
    await collect(world);
    const job = await drive(world.client, world.id, tiny);
    expect(job, `after ${steps} steps`).toMatchObject({ state: "done" });
    await pullWhole(world.client, target, "all", world.pushed);
    asked.push(world.sent.length);
  }
  // Without a collection it takes seven requests: whatever was brought by then had to be brought once more.
  expect(asked.length).toBeGreaterThan(5);
  expect(Math.min(...asked)).toBe(asked[0]);
  expect(Math.max(...asked)).toBeGreaterThan(asked[0] ?? 0);
  expect(warn).not.toHaveBeenCalled();
});

it("brings again what somebody deleted between two of its steps", async () => {
  let deletions = 0;
  for (let steps = 1; ; steps++) {
    const world = await prepare();
    const { image, blobs } = world.pushed;
    let state: string | undefined = "open";
    for (let each = 0; each < steps; each++) state = (await step(world.client, world.id, tiny))?.state;
    if (state !== "open") break;
    const [child] = JSON.parse(new TextDecoder().decode(image.bytes)).manifests;
    for (const path of [`manifests/${child.digest}`, ...blobs.map(({ digest }) => `blobs/${digest}`)]) {
      const { status } = await world.client.ask(`DELETE /v2/${target}/${path}`);
      if (status === 202) deletions++;
    }
    expect(await drive(world.client, world.id, tiny), `after ${steps} steps`).toMatchObject({
      state: "done",
    });
    await pullWhole(world.client, target, "all", world.pushed);
  }
  expect(deletions).toBeGreaterThan(5);
});

it("leaves to garbage collection what a cancelled import has brought", async () => {
  const world = await prepare();
  for (let each = 0; each < 6; each++) await step(world.client, world.id, tiny);
  expect((await told(world.client, world.id)).blobs.done).toBeGreaterThan(0);
  await expectStatus(world.client.ask(`DELETE /v2/${target}/_skerry/imports/${world.id}`), 204);
  await collect(world);
  expect(await left(world)).toEqual([]);
});

it("leaves to garbage collection a segment that comes after the end, and though nothing else is there", async () => {
  const world = createImportWorld();
  const [config, layer] = [await blobOf(noise(2 * rangeSize, 1)), await blobOf(noise(2 * rangeSize, 2))];
  for (const blob of [config, layer]) await expectStatus(pushBlob(world.origin, "team/app", blob), 201);
  await expectStatus(putManifest(world.origin, "team/app", "1", await imageOf(config, [layer])), 201);
  const isAsked = Promise.withResolvers<void>();
  const isOver = Promise.withResolvers<void>();
  world.answer(async ({ method, url, headers }) => {
    if (headers.has("Range")) {
      isAsked.resolve();
      await isOver.promise;
    }
    return world.origin.ask(`${method} ${url.href}`, { headers });
  });
  const id = await begin(world);
  await step(world.client, id, tiny);
  const stepping = step(world.client, id, tiny);
  await isAsked.promise;
  await expectStatus(world.isolate().ask(`DELETE /v2/${target}/_skerry/imports/${id}`), 204);
  isOver.resolve();
  await stepping;
  expect((await keysOf(world)).filter((key) => key.includes("/_uploads/"))).toHaveLength(1);
  await collect(world, 10);
  expect(await left(world)).toEqual([]);
});

async function left(world: World): Promise<readonly string[]> {
  return (await keysOf(world)).filter((key) => !/\/skerry\/(?:gc|adopt|imports)\//.test(key));
}
