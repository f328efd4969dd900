import { expect, it, vi } from "vitest";
import type { Importer } from "../../src/imports/importer.ts";
import type { GcPolicy } from "../../src/maintenance/gc/collector.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import { expectStatus, indexOf, putManifest } from "../support/content.ts";
import type { World } from "../upstream/unit/world.ts";
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

/** Four passes with more than the grace between them: what nothing needs is gone, bytes and all. */
async function collect({ edge }: World): Promise<void> {
  const { store } = edge.client("collector").registry;
  for (let pass = 0; pass < 4; pass++) {
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

it("leaves to garbage collection what a cancelled import has brought", async () => {
  const world = await prepare();
  for (let each = 0; each < 6; each++) await step(world.client, world.id, tiny);
  expect((await told(world.client, world.id)).blobs.done).toBeGreaterThan(0);
  await expectStatus(world.client.ask(`DELETE /v2/${target}/_skerry/imports/${world.id}`), 204);
  await collect(world);
  const { objects } = await world.edge.r2.actor("onlooker").list();
  const left = objects.map(({ key }) => key).filter((key) => !/\/skerry\/(?:gc|adopt|imports)\//.test(key));
  expect(left).toEqual([]);
});
