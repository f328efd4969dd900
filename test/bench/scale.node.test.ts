import { expect, it } from "vitest";
import { gcPerClaim, gcPerClaimant, gcPerRepository, scale } from "../../bench/scale.ts";
import { costOf } from "../../bench/support/budgets.ts";
import { play, type Storm } from "../../bench/support/storm.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import { gcStep } from "../../src/maintenance/gc/settings.ts";
import { operationClass } from "../doubles/operation.ts";
import { pushImage } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

it("writes docs/scale.md", async () => {
  await expect(scale()).toMatchFileSnapshot("../../docs/scale.md");
});

const storm: Storm = { nodes: 100, seconds: 1000, dataCentres: 1, layers: [1000], blobMax: 10_000 };

it("reads content from R2 once where nobody is in a hurry", () => {
  const cold = costOf("GET manifest by digest").B + 2 * costOf("GET blob").B;
  const { requests, reads } = play(storm);
  expect({ requests, reads }).toEqual({ requests: 400, reads: 100 + cold });
  expect(play({ ...storm, dataCentres: 4 }).reads).toBe(100 + 4 * cold);
});

it("reads content from R2 every time where nothing is copied", () => {
  expect(play({ ...storm, blobMax: 0 }).reads).toBe(
    100 * (1 + 3 * costOf("GET blob above `CACHE_BLOB_MAX`").B),
  );
});

it("reads what is asked for before the copy is there", () => {
  const { reads, peak } = play({ ...storm, seconds: 0.01 });
  expect(reads).toBe(100 * (1 + costOf("GET manifest by digest").B + 2 * costOf("GET blob").B));
  expect(peak).toBe(reads);
});

/** What passes of garbage collection cost in a registry of so many repositories with three claims each. */
async function costOfPasses(repositories: number) {
  const world = createTestRegistry();
  const client = world.client();
  for (let index = 0; index < repositories; index++) await pushImage(client, `app${index}`, "1", "shared");
  const { config, store } = client.registry;
  const pass = async () => {
    const first = world.gate.trace.length;
    while ((await runGcStep(store, gcStep(config, { every: 0 }))).phase !== "done");
    world.clock.advance(25 * 3600 * 1000);
    const classes = world.gate.trace.slice(first).map(operationClass);
    return {
      A: classes.filter((each) => each === "A").length,
      B: classes.filter((each) => each === "B").length,
    };
  };
  // The first takes the bucket over, and finds the claims too young to be looked at.
  await pass();
  return { claims: await pass(), quiet: await pass() };
}

it("knows what garbage collection costs for a repository and for a claim", async () => {
  const [few, many] = [await costOfPasses(10), await costOfPasses(20)];
  const perRepository = (pass: "claims" | "quiet") => ({
    A: (many[pass].A - few[pass].A) / 10,
    B: (many[pass].B - few[pass].B) / 10,
  });
  expect(perRepository("quiet")).toEqual(gcPerRepository);
  expect(perRepository("claims")).toEqual({ ...gcPerRepository, B: gcPerClaimant + 3 * gcPerClaim });
});
