import { expect, it } from "vitest";
import { runGcStep } from "../../../src/maintenance/gc/run.ts";
import { gcStep } from "../../../src/maintenance/gc/settings.ts";
import { pushImage } from "../../support/content.ts";
import { createWorld, keysOf, type World } from "./world.ts";

const day = 24 * 3600 * 1000;

/** The rule of docs/retention.md for caches. */
const rule = {
  repositories: ["up/*"],
  keep: { pulledWithinDays: 30 },
  untagged: { keepHours: 24, pulledWithinDays: 30 },
};

async function pass({ client }: World): Promise<void> {
  const { store, config } = client.registry;
  const step = { ...gcStep(config, { every: 0 }), operations: 100_000 };
  while ((await runGcStep(store, step)).phase !== "done");
}

async function pull({ client }: World, name: string): Promise<void> {
  const manifest = await client.ask(`GET /v2/up/${name}/manifests/1`);
  const { config, layers } = await manifest.json<{
    config: { digest: string };
    layers: { digest: string }[];
  }>();
  for (const { digest } of [config, ...layers])
    expect((await client.ask(`GET /v2/up/${name}/blobs/${digest}`)).status).toBe(200);
}

it("what nobody has pulled for as long as the rule says goes, bytes and all, and is fetched again", async () => {
  const world = createWorld({ variables: { RETENTION: JSON.stringify([rule]) } });
  for (const name of ["used", "unused"]) await pushImage(world.origin, name, "1", name);
  await pull(world, "used");
  await pull(world, "unused");
  for (let days = 0; days < 90; days++) {
    world.edge.clock.advance(day);
    if (days % 7 === 0) await pull(world, "used");
    await pass(world);
  }
  const keys = await keysOf(world);
  expect(keys.filter((key) => key.includes("/up/unused/"))).toEqual([]);
  expect(keys.filter((key) => key.endsWith("/data"))).toHaveLength(3);
  world.sent.length = 0;
  await pull(world, "unused");
  expect(world.asked().filter((line) => line.startsWith("GET"))).toHaveLength(3);
});
