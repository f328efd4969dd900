import { expect, it } from "vitest";
import { runGcStep } from "../../../src/maintenance/gc/run.ts";
import { gcStep } from "../../../src/maintenance/gc/settings.ts";
import { pushImage, type TestManifest } from "../../support/content.ts";
import { createWorld, keysOf, type World } from "./world.ts";

const day = 24 * 3600 * 1000;

/** A rule by which what nobody pulls goes. */
const rule = {
  repositories: ["up/*"],
  keep: { pulledWithinDays: 20 },
  untagged: { keepHours: 24 },
};

/** A pass of the collector, as the daily one. */
async function collect({ client }: World): Promise<void> {
  const { store, config } = client.registry;
  const step = {
    ...gcStep(config, { every: 0, dryRun: false, onExpired: () => undefined }),
    operations: 100_000,
  };
  for (let steps = 0; steps < 50; steps++) {
    if ((await runGcStep(store, step)).phase === "done") return;
  }
  throw new Error("the pass does not end");
}

/** Pulls the image by its tag, with its blobs. */
async function pull({ client }: World, tag: string): Promise<void> {
  const answer = await client.ask(`GET /v2/up/app/manifests/${tag}`);
  expect(answer.status).toBe(200);
  const { config, layers } = await answer.json<
    Record<"config", Named> & Record<"layers", readonly Named[]>
  >();
  for (const { digest } of [config, ...layers]) {
    const blob = await client.ask(`GET /v2/up/app/blobs/${digest}`);
    expect(blob.status).toBe(200);
    await blob.arrayBuffer();
  }
}

interface Named {
  readonly digest: string;
}

/** Whether the bucket has anything under a blob's or manifest's digest. */
async function isKept(world: World, digest: string): Promise<boolean> {
  const hex = digest.slice("sha256:".length);
  return (await keysOf(world)).some((key) => key.includes(hex) && key.endsWith("/data"));
}

function layerOf({ bytes }: TestManifest): string {
  return JSON.parse(new TextDecoder().decode(bytes)).layers[0].digest;
}

it("what nobody pulls for some days goes by a rule of retention, and is fetched again when somebody does", async () => {
  const world = createWorld({ variables: { RETENTION: JSON.stringify([rule]), GC_TOMBSTONE_DAYS: "5" } });
  const used = await pushImage(world.origin, "app", "used", "used");
  const unused = await pushImage(world.origin, "app", "unused", "unused");
  await pull(world, "used");
  await pull(world, "unused");
  for (let days = 0; days < 35; days++) {
    if (days < 20) expect(await isKept(world, layerOf(unused))).toBe(true);
    if (days % 10 === 0) await pull(world, "used");
    await collect(world);
    world.edge.clock.advance(day);
  }
  expect(await isKept(world, layerOf(used))).toBe(true);
  expect(await isKept(world, used.digest)).toBe(true);
  expect(await isKept(world, layerOf(unused))).toBe(false);
  expect(await isKept(world, unused.digest)).toBe(false);

  world.sent.splice(0);
  await pull(world, "unused");
  expect(world.asked()).toContain("GET /v2/app/manifests/unused");
  expect(world.asked()).toContain(`GET /v2/app/blobs/${layerOf(unused)}`);
});
