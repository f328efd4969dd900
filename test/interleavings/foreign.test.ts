import { expect, it } from "vitest";
import { effort, patience } from "./effort.ts";
import { explore } from "./explore.ts";
import { prepareForeign } from "./foreign.ts";
import { foreign, foreignMutations } from "./foreign-cases.ts";
import type {} from "./row.ts";
import { sample } from "./sample.ts";
import { Judge } from "./verify.ts";

const limit = 150 * effort;

it.for(foreign)("$name", { timeout: patience }, async (given, { task }) => {
  const { scenario, checks } = await prepareForeign(given);
  const judge = new Judge(checks);
  const explored = await explore(scenario, (outcome) => judge.hear(outcome), { limit });
  const samples = explored.complete ? 0 : limit;
  await sample(scenario, (outcome) => judge.hear(outcome), { runs: samples, seed: given.name });
  const { findings } = judge;
  expect(findings.example).toBeUndefined();
  task.meta.interleavings = { table: "orders", name: given.name, ...findings, ...explored, samples };
});

it.for(foreignMutations)("caught: $name", { timeout: patience }, async (mutation, { task }) => {
  const { name, caughtBy, complaint, wrap } = mutation;
  const given = foreign.find((candidate) => candidate.name === caughtBy);
  if (given === undefined) throw new Error(`there is no case ${caughtBy}`);
  const { scenario, checks } = await prepareForeign(given, wrap);
  const judge = new Judge(checks);
  const isHeard = () => judge.findings.complaints.has(complaint);
  await explore(scenario, (outcome) => judge.hear(outcome), { limit: 5000, until: isHeard });
  expect([...judge.findings.complaints]).toContain(complaint);
  const { runs } = judge.findings;
  task.meta.interleavings = { table: "mutations", name, caughtBy, complaint, needsCrash: false, runs };
});
