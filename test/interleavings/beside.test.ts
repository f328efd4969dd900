import { expect, it } from "vitest";
import { prepare } from "./case.ts";
import { readers, triples } from "./cases.ts";
import { effort, patience } from "./effort.ts";
import { explore } from "./explore.ts";
import type {} from "./row.ts";
import { sample } from "./sample.ts";
import { Judge } from "./verify.ts";

const limit = 150 * effort;

it.for([...readers, ...triples])("$name", { timeout: patience }, async (given, { task }) => {
  const { scenario, checks } = await prepare(given);
  const judge = new Judge(checks());
  const explored = await explore(scenario, (outcome) => judge.hear(outcome), { limit });
  const samples = explored.complete ? 0 : limit;
  await sample(scenario, (outcome) => judge.hear(outcome), { runs: samples, seed: given.name });
  const { findings } = judge;
  expect(findings.example).toBeUndefined();
  task.meta.interleavings = { table: "orders", name: given.name, ...findings, ...explored, samples };
});
