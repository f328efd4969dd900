import { describe, expect, it } from "vitest";
import { restartAdoption } from "../../src/maintenance/adopt.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import { deleteRepositoryStep } from "../../src/maintenance/repository-delete.ts";
import { digestFrom } from "../../src/oci/digest.ts";
import type { Store } from "../../src/storage/store.ts";
import { everyFault } from "../doubles/faults.ts";
import { mutates, operationClass } from "../doubles/operation.ts";
import { blobOf, expectStatus, imageOf, pushBlob, pushImage, putManifest } from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import { createClient } from "../support/registry.ts";
import {
  app,
  type ClaimsWorld,
  claimInVain,
  createClaimsWorld,
  day,
  grow,
  layerOfKept,
  layout,
  passes,
  policy,
  removeLink,
  unlinkedClaims,
} from "./claims-world.ts";

/** Repositories that a step of the fewest operations does not get through. */
const several = Array.from({ length: 20 }, (_, index) => `app${index}`);

/** Bytes without a claim, behind that claim: so many that a step of few operations cannot note all of them. */
async function bytesInVain(world: ClaimsWorld): Promise<void> {
  for (let index = 100; index < 200; index++) {
    const digest = digestFrom("sha256", String(index).padEnd(64, "f"));
    await world.r2.actor("user").put(layout.blobData(digest), "");
  }
}

/** The store of a collector whose clock is wrong by so many milliseconds. */
function storeWithError(world: ClaimsWorld, error: number): Store {
  const clock = { now: () => world.clock.now() + error, sleep: async () => undefined };
  return createClient({ bucket: world.r2.actor("gc"), kv: world.kv.actor("gc"), clock }).registry.store;
}

const flows = [
  { what: "a push", ask: (world: ClaimsWorld) => pushImage(world.user, "app", "new", "new") },
  {
    what: "a mount",
    ask: async ({ user }: ClaimsWorld) =>
      user.ask(`POST /v2/copy/blobs/uploads/?mount=${await layerOfKept()}&from=app`),
  },
  {
    what: "a DELETE of a blob that a manifest refers to",
    ask: async ({ user }: ClaimsWorld) => user.ask(`DELETE /v2/app/blobs/${await layerOfKept()}`),
  },
  {
    what: "a DELETE of a manifest",
    ask: ({ user, kept }: ClaimsWorld) => user.ask(`DELETE /v2/app/manifests/${kept.digest}`),
  },
  {
    what: "a DELETE of a manifest, and a PUT of it",
    ask: async ({ user, kept }: ClaimsWorld) => {
      await user.ask(`DELETE /v2/app/manifests/${kept.digest}`);
      return putManifest(user, "app", "kept", kept);
    },
  },
  {
    what: "a repository's deletion",
    ask: ({ user }: ClaimsWorld) =>
      deleteRepositoryStep(user.registry.store, app, 900, {
        onUntagged: () => undefined,
        onDeleted: () => undefined,
      }),
  },
];

describe("a claim without link is found, although passes look at new ones only, where it is left by", () => {
  it.each(flows)("$what, wherever it dies", async ({ ask }) => {
    const runs = await everyFault<ClaimsWorld, unknown>({
      prepare: async () => {
        const world = await createClaimsWorld();
        await grow(world);
        return world;
      },
      flow: ask,
      dies: true,
      matching: mutates,
      check: async ({ world, operation, when }) => {
        await passes(world, 6);
        expect(unlinkedClaims(world), `${operation} ${when}`).toEqual([]);
      },
    });
    expect(runs).toBeGreaterThan(0);
  });

  it("a grace that was shortened between two passes", async () => {
    const world = await createClaimsWorld();
    await grow(world);
    await claimInVain(world);
    world.clock.advance(3 * day);
    await passes(world, 1, { grace: 4 * day });
    expect(unlinkedClaims(world)).toHaveLength(1);
    await passes(world, 1, { grace: day });
    expect(unlinkedClaims(world)).toEqual([]);
  });

  it("a grace that was shortened between any two steps of a pass", async () => {
    for (let steps = 0, isDone = false; !isDone; steps++) {
      const world = await createClaimsWorld();
      await grow(world);
      await claimInVain(world);
      await bytesInVain(world);
      world.clock.advance(3 * day);
      const { store } = world.client("collector").registry;
      for (let step = 0; step < steps && !isDone; step++) {
        const patient = { ...policy, grace: 4 * day };
        isDone = (await runGcStep(store, { policy: patient, operations: 100, every: 0 })).phase === "done";
      }
      await passes(world, 2);
      expect(unlinkedClaims(world), `after ${steps} steps`).toEqual([]);
      if (steps > 50) throw new Error("the pass does not end");
    }
  });

  it("two steps of a pass whose clocks differ", async () => {
    const world = await createClaimsWorld();
    for (const name of several) await pushImage(world.user, name, "1", "shared");
    await grow(world);
    await claimInVain(world);
    const step = (error: number, operations: number) =>
      runGcStep(storeWithError(world, error), { policy, operations, every: 0 });
    // To the first step the claim is old enough, to that which looks at it not yet.
    world.clock.advance(day - 10_000);
    expect((await step(30_000, 100)).phase).toBe("repositories");
    expect((await step(0, 100_000)).phase).toBe("done");
    expect(unlinkedClaims(world)).toHaveLength(1);
    world.clock.advance(day);
    await passes(world, 1);
    expect(unlinkedClaims(world)).toEqual([]);
  });

  it("a pass whose clock was a year ahead", async () => {
    const world = await createClaimsWorld();
    await grow(world);
    const step = { policy, operations: 100_000, every: day };
    expect((await runGcStep(storeWithError(world, 365 * day), step)).phase).toBe("done");
    await claimInVain(world);
    world.clock.advance(2 * day);
    await runGcStep(storeWithError(world, 0), step);
    expect(unlinkedClaims(world)).toEqual([]);
    // From then on claims are looked at once, as ever.
    const first = world.gate.trace.length;
    world.clock.advance(2 * day);
    await runGcStep(storeWithError(world, 0), step);
    const links = world.gate.trace
      .slice(first)
      .filter(({ kind, keys }) => kind === "head" && /_layers/.test(keys[0] ?? ""));
    expect(links).toEqual([]);
  });

  it("passes that looked at none, because another registry wrote there", async () => {
    const world = await createClaimsWorld();
    await grow(world);
    await claimInVain(world);
    await passes(world, 3, { foreignWrites: "allowed" });
    expect(unlinkedClaims(world)).toHaveLength(1);
    await passes(world, 1);
    expect(unlinkedClaims(world)).toEqual([]);
  });

  it("another registry, in whose time a link was deleted: the next pass after the bucket is adopted again", async () => {
    const world = await createClaimsWorld();
    await grow(world);
    await removeLink(world, await layerOfKept());
    await passes(world, 1);
    expect(unlinkedClaims(world)).toHaveLength(1);
    await restartAdoption(world.user.registry.store);
    await passes(world, 1);
    expect(unlinkedClaims(world)).toEqual([]);
  });

  it("another registry, of which a pass finds a link", async () => {
    const world = await createClaimsWorld();
    await grow(world);
    await removeLink(world, await layerOfKept());
    await new Distribution(world.r2.actor("distribution")).image("app", ["1"], "foreign");
    await passes(world, 2);
    expect(unlinkedClaims(world)).toEqual([]);
  });

  it("a state that says nothing of claims, as before there were journals", async () => {
    const world = await createClaimsWorld();
    await grow(world);
    await removeLink(world, await layerOfKept());
    const bucket = world.r2.actor("vandal");
    const state = await bucket.get(layout.gcState());
    const { claimsUntil: _, ...rest } = (await state?.json<Record<string, unknown>>()) ?? {};
    await bucket.put(layout.gcState(), JSON.stringify(rest));
    await passes(world, 1);
    expect(unlinkedClaims(world)).toEqual([]);
  });
});

describe("passes", () => {
  /** How many layer links a pass reads: one for each claim that it looks at. */
  const linksRead = async (world: ClaimsWorld, foreignWrites: "off" | "events") => {
    const { store } = world.client("collector").registry;
    const step = { policy: { ...policy, foreignWrites }, operations: 1000, every: 0 };
    const first = world.gate.trace.length;
    let phase = "";
    // Beside another registry the bucket is adopted before each pass.
    for (let steps = 0; phase !== "done" && steps < 3; steps++) phase = (await runGcStep(store, step)).phase;
    expect(phase).toBe("done");
    world.clock.advance(2 * day);
    const reads = world.gate.trace.slice(first).filter((operation) => operationClass(operation) === "B");
    return reads.filter(({ keys }) => keys[0]?.startsWith(layout.layerLinks(app))).length;
  };

  it("look at no claim again, be it the sixteenth of them", async () => {
    const world = await createClaimsWorld();
    const looks: number[] = [];
    for (let pass = 0; pass < 34; pass++) looks.push(await linksRead(world, "off"));
    // The first finds three claims too young; each is looked at once.
    expect(looks).toEqual([0, 3, ...Array.from({ length: 32 }, () => 0)]);
  });

  it("look at all of them every sixteenth time beside a registry whose deletes nothing tells of", async () => {
    const world = await createClaimsWorld();
    const looks: number[] = [];
    for (let pass = 0; pass < 34; pass++) looks.push(await linksRead(world, "events"));
    expect(looks.flatMap((count, pass) => (count === 0 ? [] : [pass]))).toEqual([1, 16, 32]);
  });

  it("in a dry run look at those that the last pass looked at", async () => {
    const world = await createClaimsWorld();
    await grow(world);
    await passes(world, 1);
    await claimInVain(world);
    await removeLink(world, await layerOfKept());
    world.clock.advance(2 * day);
    const { store } = world.client("collector").registry;
    const { report } = await runGcStep(store, { policy, operations: 1000, every: 0, dryRun: true });
    await passes(world, 1);
    expect(report.counts.claims).toBe(1);
    expect(unlinkedClaims(world)).toHaveLength(1);
  });
});

it("the claim on a deleted blob goes with its tombstone, though a manifest refers to it", async () => {
  const world = await createClaimsWorld();
  const shared = await blobOf("shared");
  await pushBlob(world.user, "app", shared);
  const image = await imageOf(shared, []);
  await expectStatus(putManifest(world.user, "app", "2", image), 201);
  await grow(world);
  await expectStatus(world.user.ask(`DELETE /v2/app/blobs/${shared.digest}`), 202);
  await passes(world, 1);
  world.clock.advance(day);
  await passes(world, 1);
  expect(unlinkedClaims(world)).toEqual([]);
});
