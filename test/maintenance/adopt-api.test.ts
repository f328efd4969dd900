import { expect, it } from "vitest";
import { createAuthWorld } from "../auth/world.ts";
import { expectStatus } from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";

const json = { "Content-Type": "application/json" };

it("an admin takes a bucket over, step by step, and sees where that stands", async () => {
  const world = await createAuthWorld({ OPERATIONS_PER_REQUEST: "100" });
  const root = world.as(world.accounts.root);
  const distribution = new Distribution(world.registry.r2.actor("distribution"));
  const tags = Array.from({ length: 20 }, (_, index) => `t${index}`);
  const image = await distribution.image("team/app", tags, "a");
  const state = async () => (await expectStatus(root.ask("GET /v2/_skerry/adopt"), 200)).json();
  expect(await state()).toEqual({ done: false });
  const step = async (query: string) => {
    const answer = await expectStatus(root.ask(`POST /v2/_skerry/adopt${query}`, { headers: json }), 200);
    return answer.json<{ readonly done: boolean }>();
  };
  const first = await step("");
  expect(first).toMatchObject({ done: false, counts: { manifests: 1, removed: 0 }, notes: [] });
  expect(await state()).toEqual(first);
  for (let steps = 0; !(await step("?again=false")).done; steps++) expect(steps).toBeLessThan(10);
  expect(await state()).toMatchObject({ done: true, counts: { layerLinks: 2, manifests: 1, tags: 20 } });
  const reader = world.as(world.accounts.reader);
  await expectStatus(reader.ask(`HEAD /v2/team/app/manifests/${image.digest}`), 200);
  expect(await step("?again=true")).toMatchObject({ counts: { layerLinks: 0, manifests: 0, tags: 0 } });
});

it("a request that cannot be understood begins nothing", async () => {
  const world = await createAuthWorld();
  const root = world.as(world.accounts.root);
  await expectStatus(root.ask("POST /v2/_skerry/adopt?again=perhaps", { headers: json }), 400);
  await expectStatus(root.ask("POST /v2/_skerry/adopt?again=true"), 400);
  const answer = await expectStatus(root.ask("GET /v2/_skerry/adopt"), 200);
  expect(await answer.json()).toEqual({ done: false });
});
