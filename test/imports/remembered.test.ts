import { expect, it } from "vitest";
import { driveImports } from "../../src/imports/drive.ts";
import { keysOf, type World } from "../upstream/unit/world.ts";
import { ask, begin, createImportWorld, importerOf, told } from "./world.ts";

const day = 24 * 3600 * 1000;

/** Records of imports as a listing shows them. @returns their keys. */
async function record({ client }: World, state: string, count: number): Promise<readonly string[]> {
  const { bucket, layout } = client.registry.store;
  const keys = Array.from({ length: count }, () => layout.importJob(crypto.randomUUID()));
  for (const key of keys) await bucket.put(key, "", { customMetadata: { state } });
  return keys;
}

async function recorded(world: World): Promise<readonly string[]> {
  return (await keysOf(world)).filter((key) => key.includes("skerry/imports/"));
}

it("begins no import beside a thousand that are open: 503", async () => {
  const world = createImportWorld();
  await record(world, "open", 1000);
  const answer = await ask(world.client, "up/team/app:1");
  expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "600"]);
});

it("forgets the oldest imports that are over for one that begins beside a thousand", async () => {
  const world = createImportWorld();
  const open = await record(world, "open", 10);
  world.edge.clock.advance(1000);
  const oldest = await record(world, "failed", 5);
  world.edge.clock.advance(1000);
  const newer = await record(world, "done", 989);
  const id = await begin(world);
  const left = await recorded(world);
  expect(left).toHaveLength(1000);
  expect(left).toEqual(expect.arrayContaining([...open, ...newer]));
  expect(left.filter((key) => oldest.includes(key))).toEqual([]);
  expect((await told(world.client, id)).state).toBe("open");
});

it("forgets what cannot be read, two weeks after it was written", async () => {
  const world = createImportWorld();
  await record(world, "open", 1);
  await driveImports(importerOf(world.client));
  world.edge.clock.advance(13.9 * day);
  await driveImports(importerOf(world.client));
  expect(await recorded(world)).toHaveLength(1);
  world.edge.clock.advance(0.2 * day);
  await driveImports(importerOf(world.client));
  expect(await recorded(world)).toEqual([]);
});
