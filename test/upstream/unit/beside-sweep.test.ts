import { expect, it } from "vitest";
import { readAdoption, runAdoptStep } from "../../../src/maintenance/adopt.ts";
import type { GcPolicy } from "../../../src/maintenance/gc/collector.ts";
import { runGcStep } from "../../../src/maintenance/gc/run.ts";
import type { Store } from "../../../src/storage/store.ts";
import { immediate } from "../../doubles/gate.ts";
import { neverBroken } from "../../interleavings/invariants.ts";
import { blobOf, expectStatus, pushBlob, type TestBlob } from "../../support/content.ts";
import { createWorld, type World } from "./world.ts";

const hour = 3600 * 1000;
const policy: GcPolicy = { grace: hour, keepTombstones: hour, uploadAge: 24 * hour };
const collector = "collector";
const path = ({ digest }: TestBlob) => `GET /v2/up/team/app/blobs/${digest}`;

function collectorOf({ edge }: World): Store {
  return { ...edge.client(collector).registry.store, tagRecords: undefined };
}

const isData = (key: string) => key.endsWith("/data");
const collect = (store: Store) => runGcStep(store, { policy, operations: 100_000, every: 0 });

/** A blob of the upstream whose bytes are here since a repository of ours had them, and which the next pass takes. */
async function orphaned(): Promise<{ world: World; blob: TestBlob }> {
  const world = createWorld();
  const blob = await blobOf("a layer that two passes saw unclaimed");
  await expectStatus(pushBlob(world.origin, "team/app", blob), 201);
  await expectStatus(pushBlob(world.client, "ours", blob), 201);
  const store = collectorOf(world);
  while ((await readAdoption(store))?.done !== true) await runAdoptStep(store, 100_000);
  for (let pass = 0; pass < 3; pass++) {
    world.edge.clock.advance(2 * hour);
    await collect(store);
  }
  world.edge.clock.advance(2 * hour);
  return { world, blob };
}

/**
 * A pull beside a pass that has verified what it takes before the pull's operation `from`, and deletes it before the
 * operation `to`.
 */
async function besidePass(from: number, to: number) {
  const { world, blob } = await orphaned();
  const { gate } = world.edge;
  let calls = 0;
  let deletes = 0;
  let pass: Promise<unknown> | undefined;
  const verified = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  gate.policy = async ({ operation }) => {
    if (operation.actor === collector) {
      if (operation.kind !== "delete" || !operation.keys.some(isData)) return undefined;
      deletes++;
      verified.resolve();
      await released.promise;
      return undefined;
    }
    const call = calls++;
    if (call === from) {
      pass = collect(collectorOf(world));
      await Promise.race([verified.promise, pass]);
    }
    if (call === to) {
      released.resolve();
      await pass;
    }
    return undefined;
  };
  const answer = await world.client.ask(path(blob));
  const bytes = new Uint8Array(await answer.arrayBuffer());
  released.resolve();
  await pass;
  gate.policy = immediate;
  return { world, blob, answer, bytes, calls, deletes };
}

it("a blob that is pulled while a pass takes its bytes is here afterwards, or was never kept", async () => {
  let takes = 0;
  let runs = 0;
  for (let from = 0, isMet = true; isMet; from++) {
    for (let to = from; ; to++) {
      const { world, blob, answer, bytes, calls, deletes } = await besidePass(from, to);
      isMet = from < calls;
      if (!isMet) break;
      const place = `from ${from} to ${to}`;
      expect([answer.status, bytes], place).toEqual([200, blob.bytes]);
      expect(neverBroken(world.edge), place).toEqual([]);
      const again = await world.client.ask(path(blob));
      expect(new Uint8Array(await again.arrayBuffer()), place).toEqual(blob.bytes);
      takes += deletes > 0 ? 1 : 0;
      runs++;
      if (to >= calls) break;
    }
  }
  expect(runs).toBeGreaterThan(30);
  expect(takes).toBeGreaterThan(0);
});
