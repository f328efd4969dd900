import { expect, it } from "vitest";
import { runGcStep } from "../../../src/maintenance/gc/run.ts";
import { gcStep } from "../../../src/maintenance/gc/settings.ts";
import { parseRetention } from "../../../src/maintenance/retention/rules.ts";
import { expectStatus, pushImage, putManifest, type TestManifest } from "../../support/content.ts";
import { before } from "./between.ts";
import { createRetentionWorld, day, hour, type RetentionWorld } from "./world.ts";

/** A repository with an image that no tag names. */
async function nameless(passes: number) {
  const world = createRetentionWorld({ untagged: { keepHours: 48 } });
  const image = await pushImage(world.client, "app", undefined, "nameless");
  await pushImage(world.client, "app", "other", "other");
  await world.pass({ dryRun: true });
  for (let pass = 0; pass < passes; pass++) await world.pass();
  return { world, image };
}

/** The manifest is deleted and begins a new life, which a tag names. */
async function reborn(world: RetentionWorld, image: TestManifest): Promise<void> {
  await expectStatus(world.client.ask(`DELETE /v2/app/manifests/${image.digest}`), 202);
  await expectStatus(putManifest(world.client, "app", "t", image), 201);
}

async function expectWhole(world: RetentionWorld): Promise<void> {
  await world.pass();
  world.registry.clock.advance(3 * day);
  await world.pass();
  await world.registry.kv.actor("vandal").delete("strong:app:t");
  expect((await world.client.ask("GET /v2/app/manifests/t")).status).toBe(200);
}

it.each([0, 1])(
  "a manifest that begins a new life anywhere in a pass is of that life: %i passes before",
  async (passes) => {
    for (let number = 0; ; number++) {
      const { world, image } = await nameless(passes);
      const reached = before(number, world, () => reborn(world, image));
      await world.pass();
      if (!reached()) return expect(number).toBeGreaterThan(10);
      await expectWhole(world);
    }
  },
);

it("a manifest that begins a new life anywhere in a put of it is of that life", async () => {
  for (let number = 0; ; number++) {
    const { world, image } = await nameless(2);
    const reached = before(number, world, () => reborn(world, image));
    await expectStatus(putManifest(world.client, "app", image.digest, image), 201);
    if (!reached()) return expect(number).toBeGreaterThan(5);
    await expectWhole(world);
  }
});

it("a manifest that is put while it is marked waits anew", async () => {
  const { world, image } = await nameless(1);
  world.registry.clock.advance(3 * day);
  await expectStatus(putManifest(world.client, "app", image.digest, image), 201);
  await world.pass();
  world.registry.clock.advance(day);
  await world.pass();
  expect((await world.client.ask(`HEAD /v2/app/manifests/${image.digest}`)).status).toBe(200);
  world.registry.clock.advance(2 * day);
  await world.pass();
  expect((await world.client.ask(`HEAD /v2/app/manifests/${image.digest}`)).status).toBe(404);
});

it.each([0, 1])(
  "a manifest that a tag named in the meantime waits from when the last tag left it: %i passes before",
  async (passes) => {
    for (let number = 0; ; number++) {
      const { world, image } = await nameless(passes);
      const { client, registry } = world;
      const status = async () => (await client.ask(`HEAD /v2/app/manifests/${image.digest}`)).status;
      const reached = before(number, world, () => expectStatus(putManifest(client, "app", "t", image), 201));
      await world.pass();
      const isOver = !reached();
      registry.clock.advance(day);
      if (!isOver) await expectStatus(client.ask("DELETE /v2/app/manifests/t"), 202);
      registry.clock.advance(day + hour);
      await world.pass();
      if (isOver) return expect(number).toBeGreaterThan(10);
      expect(await status(), `before operation ${number}`).toBe(200);
      registry.clock.advance(3 * day);
      await world.pass();
      expect(await status()).toBe(404);
    }
  },
);

it("marks go when no rule asks for them, so that an old one is not believed later", async () => {
  const { world, image } = await nameless(1);
  const step = { every: 0, operations: 100_000 };
  const config = { ...world.client.registry.config, retention: [] };
  while (
    (await runGcStep(world.client.registry.store, { ...gcStep(config, step), ...step })).phase !== "done"
  );
  world.registry.clock.advance(10 * day);
  await world.pass();
  expect((await world.client.ask(`HEAD /v2/app/manifests/${image.digest}`)).status).toBe(200);
});

it("a rule that comes to ask for pulls of a repository drops nothing that it could not know of", async () => {
  const world = createRetentionWorld({ repositories: ["a"], keep: { pulledWithinDays: 30 } });
  await pushImage(world.client, "a", "1", "a");
  await pushImage(world.client, "b", "1", "b");
  const pull = async () => {
    for (const name of ["a", "b"]) await world.client.ask(`GET /v2/${name}/manifests/1`);
  };
  for (let days = 0; days < 60; days++) {
    await world.pass();
    await pull();
    world.registry.clock.advance(day);
  }
  const retention = parseRetention('[{"repositories": ["*"], "keep": {"pulledWithinDays": 30}}]');
  const step = {
    ...gcStep({ ...world.client.registry.config, retention }, { every: 0 }),
    operations: 100_000,
  };
  while ((await runGcStep(world.client.registry.store, step)).phase !== "done");
  expect([await world.tags("a"), await world.tags("b")]).toEqual([["1"], ["1"]]);
});
