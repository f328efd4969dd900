import { expect, it } from "vitest";
import { pushImage } from "../../support/content.ts";
import { before } from "./between.ts";
import { createRetentionWorld, day, hour, type RetentionWorld } from "./world.ts";

/** A tag that retention has removed, whose manifest goes in the next pass. */
async function doomed() {
  const world = createRetentionWorld({ keep: { newerThanDays: 1 }, untagged: { keepHours: 24 } });
  const image = await pushImage(world.client, "app", "1", "image");
  world.registry.clock.advance(2 * day);
  await world.pass();
  world.registry.clock.advance(day + hour);
  return { world, image };
}

function restore(world: RetentionWorld): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return world.client.ask("POST /v2/app/_skerry/tags/1/restore", { headers });
}

/** A tag that was restored is there with all that its image needs; one that was not is nowhere. */
async function check(world: RetentionWorld, restored: Response, layers: readonly string[]): Promise<void> {
  expect([200, 404]).toContain(restored.status);
  expect(await world.tags("app")).toEqual(restored.status === 200 ? ["1"] : []);
  const pulled = await world.client.ask("GET /v2/app/manifests/1");
  expect(pulled.status).toBe(restored.status);
  if (restored.status !== 200) return;
  for (const digest of layers)
    expect((await world.client.ask(`GET /v2/app/blobs/${digest}`)).status).toBe(200);
}

function layersOf(image: { readonly bytes: Uint8Array }): readonly string[] {
  const { config, layers } = JSON.parse(new TextDecoder().decode(image.bytes));
  return [config, ...layers].map(({ digest }) => digest);
}

it("is restored whole or not at all, whenever that falls into a pass that takes its manifest", async () => {
  const seen = new Set<number>();
  for (let number = 0; ; number++) {
    const { world, image } = await doomed();
    let restored: Response | undefined;
    const reached = before(number, world, async () => {
      // A sweep that waits for the restore would wait for ever: it is asked while the collector stands still.
      restored = await restore(world);
    });
    await world.pass();
    if (!reached() || restored === undefined) break;
    seen.add(restored.status);
    if (restored.status === 503) continue;
    await check(world, restored, layersOf(image));
  }
  // Early it is restored, and late it is gone.
  expect(seen).toContain(200);
  expect(seen).toContain(404);
}, 120_000);

it("is restored whole or not at all, whenever such a pass falls into the restore", async () => {
  const seen = new Set<number>();
  for (let number = 0; ; number++) {
    const { world, image } = await doomed();
    const reached = before(number, world, () => world.pass());
    const restored = await restore(world);
    if (!reached()) break;
    seen.add(restored.status);
    await check(world, restored, layersOf(image));
  }
  expect(seen).toContain(404);
}, 120_000);
