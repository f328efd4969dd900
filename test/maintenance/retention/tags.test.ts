import { describe, expect, it } from "vitest";
import { faults } from "../../doubles/faults.ts";
import { immediate } from "../../doubles/gate.ts";
import { pushImage } from "../../support/content.ts";
import { createRetentionWorld, day, hour, type RetentionWorld } from "./world.ts";

async function pushDaily(world: RetentionWorld, tags: readonly string[], name = "app"): Promise<void> {
  for (const tag of tags) {
    await pushImage(world.client, name, tag, tag);
    world.registry.clock.advance(day);
  }
}

describe("retention", () => {
  it("removes the tags that the rule does not keep, and tells of each", async () => {
    const world = createRetentionWorld({ keep: { newest: 2 } });
    await pushDaily(world, ["a", "b", "c", "d"]);
    const { report } = await world.pass();
    expect(await world.tags("app")).toEqual(["c", "d"]);
    expect(report.counts.expiredTags).toBe(2);
    expect(world.expired).toEqual(["app:a", "app:b"]);
    expect((await world.client.ask("GET /v2/app/manifests/a")).status).toBe(404);
  });

  it("changes nothing in a dry run, which counts what would go, in steps too", async () => {
    const world = createRetentionWorld({ keep: { newest: 1 } });
    for (const name of ["app", "bpp", "cpp"]) await pushDaily(world, ["a", "b", "c"], name);
    await world.pass();
    for (const name of ["app", "bpp", "cpp"]) await pushDaily(world, ["d", "e"], name);
    const whole = await world.pass({ dryRun: true });
    expect(whole.report.counts.expiredTags).toBe(6);
    const stepped = await world.pass({ dryRun: true, operations: 80 });
    expect(stepped.report.counts.expiredTags).toBe(6);
    expect(await world.tags("app")).toEqual(["c", "d", "e"]);
  });

  it("goes on where a step ended", async () => {
    const world = createRetentionWorld({ keep: { newest: 0 } });
    for (let index = 0; index < 40; index++) await pushImage(world.client, "app", `t${index}`, "same");
    await world.pass({ operations: 150 });
    expect(await world.tags("app")).toEqual([]);
    expect(world.expired).toHaveLength(40);
  });

  it("keeps a tag that moves while it is judged", async () => {
    const world = createRetentionWorld({ keep: { newerThanDays: 1 } });
    await pushDaily(world, ["a", "b"]);
    world.registry.clock.advance(day);
    const { gate } = world.registry;
    let isMoved = false;
    // The first read of the register comes after the judgement.
    gate.policy = async ({ operation }) => {
      if (operation.kind !== "get" || !operation.keys[0]?.endsWith("_skerry/tags/a")) return undefined;
      gate.policy = immediate;
      isMoved = true;
      await pushImage(world.client, "app", "a", "moved");
      return undefined;
    };
    await world.pass();
    gate.policy = immediate;
    expect(isMoved).toBe(true);
    expect(await world.tags("app")).toEqual(["a"]);
  });

  it("leaves immutable tags, and repositories without a rule", async () => {
    const world = createRetentionWorld(
      { repositories: ["app"], keep: { newest: 0 } },
      { immutableTags: [{ repository: "app", tag: "v*" }] },
    );
    await pushDaily(world, ["v1", "x"]);
    await pushDaily(world, ["x"], "other");
    await world.pass();
    expect(await world.tags("app")).toEqual(["v1"]);
    expect(await world.tags("other")).toEqual(["x"]);
  });

  it("survives any failure of R2, and the next pass finishes", async () => {
    for (let fails = 0; fails < 60; fails++) {
      const world = createRetentionWorld({ keep: { newest: 1 } });
      await pushDaily(world, ["a", "b"]);
      await world.pass({ dryRun: true });
      let operations = 0;
      world.registry.gate.policy = faults([{ matching: () => operations++ === fails, when: "after" }]);
      const outcome = await world.pass().catch(() => "failed");
      world.registry.gate.policy = immediate;
      expect(await world.tags("app")).toContain("b");
      world.registry.clock.advance(hour);
      await world.pass();
      expect(await world.tags("app")).toEqual(["b"]);
      expect((await world.client.ask("GET /v2/app/manifests/a")).status).toBe(404);
      if (outcome !== "failed" && operations <= fails) break;
    }
  });
});

describe("pull times", () => {
  it("keep what is pulled, to the day, and cost no write per pull", async () => {
    const world = createRetentionWorld({ keep: { pulledWithinDays: 10 } });
    await pushDaily(world, ["used", "unused"]);
    await world.pass();
    for (let index = 0; index < 12; index++) {
      world.registry.clock.advance(day);
      for (let pull = 0; pull < 5; pull++) await world.client.ask("GET /v2/app/manifests/used");
      await world.pass();
    }
    expect(await world.tags("app")).toEqual(["used"]);
    const keys = (await world.registry.r2.actor("onlooker").list()).objects.map(({ key }) => key);
    expect(keys.filter((key) => key.includes("/_skerry/pulled/tags/"))).toHaveLength(1);
  });

  it("are not missed for what was pulled before they were recorded", async () => {
    const world = createRetentionWorld({ keep: { pulledWithinDays: 10 } });
    await pushDaily(world, ["old"]);
    world.registry.clock.advance(100 * day);
    await world.pass();
    expect(await world.tags("app")).toEqual(["old"]);
    // Nobody looked for a month: pulls may have gone unrecorded.
    world.registry.clock.advance(30 * day);
    await world.pass();
    expect(await world.tags("app")).toEqual(["old"]);
    for (let index = 0; index < 11; index++) {
      world.registry.clock.advance(day);
      await world.pass();
    }
    expect(await world.tags("app")).toEqual([]);
  });

  it("that R2 did not take are recorded by the next pull", async () => {
    const world = createRetentionWorld({ keep: { pulledWithinDays: 10 } });
    await pushImage(world.client, "app", "a", "a");
    world.registry.gate.policy = faults([
      {
        matching: ({ kind, keys }) => kind === "put" && (keys[0] ?? "").includes("/pulled/tags/"),
        when: "before",
      },
    ]);
    await world.client.ask("GET /v2/app/manifests/a");
    world.registry.gate.policy = immediate;
    await world.client.ask("GET /v2/app/manifests/a");
    const keys = (await world.registry.r2.actor("onlooker").list()).objects.map(({ key }) => key);
    expect(keys.filter((key) => key.includes("/_skerry/pulled/tags/"))).toHaveLength(1);
  });

  it("are recorded only where a rule asks for them", async () => {
    const world = createRetentionWorld({ keep: { newest: 1 } });
    await pushImage(world.client, "app", "a", "a");
    await world.client.ask("GET /v2/app/manifests/a");
    const keys = (await world.registry.r2.actor("onlooker").list()).objects.map(({ key }) => key);
    expect(keys.filter((key) => key.includes("/_skerry/pulled/tags/"))).toEqual([]);
  });

  it("go when the tag is gone", async () => {
    const world = createRetentionWorld({ keep: { pulledWithinDays: 10 } });
    await pushDaily(world, ["a", "b"]);
    await world.client.ask("GET /v2/app/manifests/a");
    await world.client.ask("DELETE /v2/app/manifests/a");
    world.registry.clock.advance(40 * day);
    await world.pass();
    const keys = (await world.registry.r2.actor("onlooker").list()).objects.map(({ key }) => key);
    expect(keys.filter((key) => key.includes("/_skerry/pulled/tags/"))).toEqual([]);
  });
});
