import { beforeEach, expect, it, vi } from "vitest";
import type { ImportQueue } from "../../src/imports/drive.ts";
import { expectStatus } from "../support/content.ts";
import { createWorld, keysOf } from "../upstream/unit/world.ts";
import {
  ask,
  begin,
  createImportWorld,
  drive,
  json,
  pullWhole,
  pushUpstream,
  step,
  target,
} from "./world.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

it("begins within the request's own time where the queue takes no message", async () => {
  const importQueue: ImportQueue = { send: () => Promise.reject(new Error("Too Many Requests")) };
  const world = createWorld({ platform: { importQueue } });
  const pushed = await pushUpstream(world);
  const answer = world.client.ask(`POST /v2/${target}/_skerry/imports`, json({ from: "up/team/app:1" }));
  const { headers } = await expectStatus(answer, 202);
  const told = await expectStatus(world.client.ask(`GET ${headers.get("Location")}`), 200);
  expect(await told.json()).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", pushed);
});

it("says at once what is wrong with a manifest that is not taken", async () => {
  const world = createImportWorld({ variables: { MAX_REFERENCES: "2" } });
  await pushUpstream(world);
  const id = await begin(world);
  const job = await step(world.client, id);
  expect(job).toMatchObject({
    state: "failed",
    error: {
      code: "MANIFEST_INVALID",
      message: "the upstream's manifest is not taken here: 3 references, at most 2 allowed",
    },
  });
});

it("asks again for what may be no manifest of the upstream's", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  let times = 2;
  world.answer(() =>
    times-- > 0 ? new Response("<html>", { headers: { "Content-Type": "text/html" } }) : undefined,
  );
  const id = await begin(world);
  expect(await drive(world.client, id)).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", pushed);
});

it("writes nothing more into a repository that has become a mirror", async () => {
  const world = createImportWorld();
  await pushUpstream(world);
  const id = await begin(world);
  const before = await keysOf(world);
  const prefixes = ["up", "team"].map((prefix) => ({ prefix, url: "https://upstream.example" }));
  const { pullThrough } = createImportWorld({ variables: { UPSTREAMS: JSON.stringify(prefixes) } }).client
    .registry;
  const job = await step(world.client, id, { upstreamOf: (name) => pullThrough.repository(name) });
  expect(job).toMatchObject({
    state: "failed",
    error: { code: "UNSUPPORTED", message: "the repository mirrors another registry" },
  });
  expect([world.sent, await keysOf(world)]).toEqual([[], before]);
});

it("forgets nothing for a request that is refused", async () => {
  const world = createImportWorld();
  const { bucket, layout } = world.client.registry.store;
  for (let count = 0; count < 1000; count++)
    await bucket.put(layout.importJob(crypto.randomUUID()), "", { customMetadata: { state: "done" } });
  expect((await ask(world.client, "up/team/app:1", ["a b"])).status).toBe(400);
  expect(await keysOf(world)).toHaveLength(1000);
});
