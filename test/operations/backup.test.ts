import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/maintenance/check/finding.ts";
import { checkBucket } from "../../src/maintenance/check/run.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import { createDoubles } from "../doubles/doubles.ts";
import type { Policy } from "../doubles/gate.ts";
import { createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { copyBucket } from "./bucket-copy.ts";
import { type Pulled, pullEverything } from "./pull.ts";
import { type Copy, recipe } from "./recipe.ts";
import { Pusher, randomOf, type Values } from "./storm.ts";

const root = "docker/registry/v2";
const hour = 3_600_000;
const seeds = [1, 2, 3, 4, 5, 6];

interface Drill {
  readonly restored: TestRegistry;
  readonly values: Values;
  /** What the tags named when the copy began. */
  readonly before: readonly Pulled[];
}

/** Takes a copy while three clients push and delete, and restores it into an empty bucket. */
async function drill(seed: number, backup: readonly Copy[]): Promise<Drill> {
  const world = createTestRegistry();
  const values: Values = new Map();
  const pushers = ["app", "app/below", "zoo"].map(
    (name, index) => new Pusher(world.client(name), name, seed * 10 + index, values),
  );
  for (const pusher of pushers) await pusher.begin();
  const before = await pullEverything(world.client("observer"));

  world.gate.policy = slowed("backup", randomOf(seed));
  const vault = createDoubles();
  let isCopied = false;
  const copying = copyBucket(world.r2.actor("backup"), vault.r2.actor("backup"), backup, {
    FROM: root,
    TO: "skerry",
    DAY: "today",
  }).finally(() => {
    isCopied = true;
  });
  const pushing = pushers.map(async (pusher) => {
    while (!isCopied) await pusher.act();
  });
  await Promise.all([copying, ...pushing]);

  const restored = createTestRegistry();
  restored.clock.advance(hour);
  const places = { FROM: "skerry", DAY: "today", TO: root };
  await copyBucket(vault.r2.actor("restore"), restored.r2.actor("restore"), recipe("restore"), places);
  return { restored, values, before };
}

/** Lets up to eleven operations of others take effect before each one of that actor. */
function slowed(actor: string, random: () => number): Policy {
  let others = 0;
  let wake: () => void = () => undefined;
  return async ({ operation }) => {
    if (operation.actor !== actor) {
      others++;
      wake();
      return undefined;
    }
    const until = others + Math.floor(random() * 12);
    while (others < until) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return undefined;
  };
}

/** Checks and repairs. @returns the findings that are left. */
async function repair(world: TestRegistry): Promise<readonly Finding[]> {
  const left: Finding[] = [];
  const { store } = world.client("check").registry;
  await checkBucket(store, { repair: true }, (finding) => {
    if (!finding.repaired) left.push(finding);
  });
  return left;
}

/** Garbage collection for a week. */
async function collect(world: TestRegistry): Promise<void> {
  const { store } = world.client("gc").registry;
  const policy = { grace: 24 * hour, keepTombstones: 48 * hour, uploadAge: 192 * hour };
  for (let day = 0; day < 7; day++) {
    for (let phase = ""; phase !== "done"; ) {
      phase = (await runGcStep(store, { policy, operations: 100_000, every: hour })).phase;
    }
    world.clock.advance(25 * hour);
  }
}

describe("a backup that is taken while pushes go on", () => {
  it.each(seeds)("is whole: every tag of it, with all that it refers to (%d)", async (seed) => {
    const { restored, values, before } = await drill(seed, recipe("backup"));
    const left = await repair(restored);
    const pulled = await pullEverything(restored.client());

    expect(pulled.filter(({ missing }) => missing.length > 0)).toEqual([]);
    for (const { reference, digest } of pulled) expect(values.get(reference)).toContain(digest);
    // A tag that nobody removed is there.
    const moving = before
      .map(({ reference }) => reference)
      .filter((reference) => reference.endsWith(":moving"));
    expect(moving).toHaveLength(3);
    expect(pulled.map(({ reference }) => reference)).toEqual(expect.arrayContaining(moving));
    // What is left is of manifests that came while the copy was taken, and that no tag names.
    expect(left.map(({ kind }) => kind).filter((kind) => kind !== "missing reference")).toEqual([]);

    await collect(restored);
    expect(await pullEverything(restored.client())).toEqual(pulled);
  });

  it("would not be whole in the order of the keys, bytes first", async () => {
    const backwards = recipe("backup").toReversed();
    let broken: readonly Pulled[] = [];
    for (let seed = 1; broken.length === 0 && seed <= 60; seed++) {
      const { restored } = await drill(seed, backwards);
      await repair(restored);
      broken = (await pullEverything(restored.client())).filter(({ missing }) => missing.length > 0);
    }
    expect(broken).not.toEqual([]);
  });
});
