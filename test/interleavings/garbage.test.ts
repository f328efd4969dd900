import { expect, it } from "vitest";
import { effort, patience } from "./effort.ts";
import type { Crash } from "./execution.ts";
import { explore } from "./explore.ts";
import { prepareGarbage, sixMinutes, withinAssumptions } from "./garbage.ts";
import { garbage } from "./garbage-cases.ts";
import { generator } from "./randomness.ts";
import type {} from "./row.ts";
import { sample } from "./sample.ts";
import { Judge } from "./verify.ts";

const limit = 50 * effort;
const deaths = 60 * effort;

it.for(garbage)("$name", { timeout: patience }, async (given, { task }) => {
  const { scenario, checks } = await prepareGarbage(given);
  const judge = new Judge(checks());
  const explored = await explore(scenario, (outcome) => judge.hear(outcome), { limit });
  const samples = explored.complete ? 0 : limit;
  await sample(scenario, (outcome) => judge.hear(outcome), { runs: samples, seed: given.name });
  const { findings } = judge;
  expect(findings.example).toBeUndefined();
  task.meta.interleavings = { table: "orders", name: given.name, ...findings, ...explored, samples };
});

it.for(garbage)("$name: one dies, the clock moves", { timeout: patience }, async (given, { task }) => {
  const { scenario, checks } = await prepareGarbage(given);
  const random = generator(given.name);
  const longest = await turnsOf(scenario);
  let [runs, histories, violations] = [0, 0, 0];
  for (; runs < deaths; runs++) {
    // The collector dies in two runs of three.
    const dying = scenario.clients[random() < 2 / 3 ? scenario.clients.length - 1 : 0];
    if (dying === undefined) throw new Error("a case without clients");
    const crash: Crash = {
      client: dying.name,
      after: Math.floor(random() * (longest.get(dying.name) ?? 0)),
      lost: Array.from({ length: 8 }, (_, write) => write).filter(() => random() < 0.5),
      retry: random() < 0.5,
    };
    const clients = [...scenario.clients, ...(random() < 0.5 ? [sixMinutes] : [])];
    const judge = new Judge(checks(crash));
    await sample({ ...scenario, clients, crash }, (outcome) => judge.hear(outcome), {
      runs: 1,
      seed: `${given.name} ${runs}`,
      mayComeNext: withinAssumptions,
    });
    expect(judge.findings.example).toBeUndefined();
    histories += judge.findings.histories;
    violations += judge.findings.violations;
  }
  task.meta.interleavings = {
    table: "crashes",
    name: given.name,
    points: runs,
    sampled: runs,
    runs,
    histories,
    violations,
  };
});

/** How many turns the first request of each client takes in one order. */
async function turnsOf(
  scenario: Awaited<ReturnType<typeof prepareGarbage>>["scenario"],
): Promise<ReadonlyMap<string, number>> {
  const turns = new Map<string, number>();
  await sample(
    scenario,
    ({ events }) => {
      for (const { name, requests } of scenario.clients) {
        const first = requests.length === 1 ? name : `${name}1`;
        turns.set(name, events.filter(({ actor }) => actor === first).length);
      }
    },
    { runs: 1, seed: "turns" },
  );
  return turns;
}
