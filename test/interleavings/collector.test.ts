import { expect, it } from "vitest";
import { prepare, type ReadyCase } from "./case.ts";
import { collect, type Sweep, type SweepCase, sweeps } from "./collector.ts";
import { verifyCrashes } from "./crashes.ts";
import { effort, patience } from "./effort.ts";
import type { Ports } from "./execution.ts";
import { explore } from "./explore.ts";
import { guardMutations } from "./guard-mutations.ts";
import type {} from "./row.ts";
import { sample } from "./sample.ts";
import { Judge } from "./verify.ts";

async function withCollector(
  given: SweepCase,
  all: readonly Sweep[],
  wrap?: (ports: Ports) => Ports,
): Promise<ReadyCase> {
  const { scenario, checks } = await prepare(given, wrap);
  scenario.start.clock.advance(2 * 60 * 60 * 1000);
  const collector = { name: "GC", requests: collect(all) };
  return { scenario: { ...scenario, clients: [...scenario.clients, collector] }, checks };
}

it.for(sweeps)("$name: one dies", { timeout: patience }, async (given, { task }) => {
  const { scenario, checks } = await withCollector(given, given.sweeps);
  const found = await verifyCrashes(scenario, checks, { limit: 2 * effort, samples: effort });
  expect(found.example).toBeUndefined();
  task.meta.interleavings = { table: "crashes", name: given.name, ...found };
});

it.for(guardMutations)("caught: $name", { timeout: patience }, async (mutation, { task }) => {
  const { name, caughtBy, complaint, wrap, without } = mutation;
  const given = sweeps.find((candidate) => candidate.name === caughtBy);
  if (given === undefined) throw new Error(`there is no case ${caughtBy}`);
  const all = given.sweeps.map((sweep) => (without === undefined ? sweep : { ...sweep, without }));
  const { scenario, checks } = await withCollector(given, all, wrap);
  const judge = new Judge(checks());
  const isHeard = () => [...judge.findings.complaints].some((text) => text.includes(complaint));
  await explore(scenario, (outcome) => judge.hear(outcome), { limit: 2000, until: isHeard });
  expect([...judge.findings.complaints].join("\n")).toContain(complaint);
  const { runs } = judge.findings;
  task.meta.interleavings = { table: "mutations", name, caughtBy, complaint, needsCrash: false, runs };
});

const limit = 150 * effort;

it.for(sweeps)("$name", { timeout: patience }, async (given, { task }) => {
  const { scenario, checks } = await withCollector(given, given.sweeps);
  const judge = new Judge(checks());
  const explored = await explore(scenario, (outcome) => judge.hear(outcome), { limit });
  const samples = explored.complete ? 0 : limit;
  await sample(scenario, (outcome) => judge.hear(outcome), { runs: samples, seed: given.name });
  const { findings } = judge;
  expect(findings.example).toBeUndefined();
  task.meta.interleavings = { table: "orders", name: given.name, ...findings, ...explored, samples };
});
