import { afterEach, expect, it, vi } from "vitest";
import { prepare } from "./case.ts";
import { pairs, readers } from "./cases.ts";
import { verifyCrashes } from "./crashes.ts";
import { patience } from "./effort.ts";
import { explore } from "./explore.ts";
import { type Mutation, mutations, needless } from "./mutations.ts";
import type {} from "./row.ts";
import { type Findings, Judge } from "./verify.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** The case of that name under a mutation, run until the complaint is heard. */
async function hunt({ wrap, caughtBy, complaint, sameGenerations, needsCrash }: Mutation): Promise<Findings> {
  const given = [...pairs, ...readers].find(({ name }) => name === caughtBy);
  if (given === undefined) throw new Error(`there is no case ${caughtBy}`);
  if (sameGenerations) {
    vi.spyOn(crypto, "randomUUID").mockReturnValue("00000000-0000-4000-8000-000000000000");
  }
  const { scenario, checks } = await prepare(given, wrap, sameGenerations && wrap);
  const isHeard = ({ complaints }: Findings) => [...complaints].some((text) => text.includes(complaint));
  if (needsCrash) return verifyCrashes(scenario, checks, { limit: 5, samples: 5, until: isHeard });
  const judge = new Judge(checks());
  await explore(scenario, (outcome) => judge.hear(outcome), {
    limit: 2000,
    until: () => isHeard(judge.findings),
  });
  return judge.findings;
}

it.for(mutations)("caught: $name", { timeout: patience }, async (mutation, { task }) => {
  const { complaints, runs } = await hunt(mutation);
  expect([...complaints].join("\n")).toContain(mutation.complaint);
  const { name, caughtBy, complaint, needsCrash = false } = mutation;
  task.meta.interleavings = { table: "mutations", name, caughtBy, complaint, needsCrash, runs };
});

it.for(needless)("not needed: $name", { timeout: patience }, async ({ name, wrap }, { task }) => {
  let runs = 0;
  for (const given of pairs.filter((pair) => pair.name.includes("DELETE A"))) {
    const { scenario, checks } = await prepare(given, wrap);
    const judge = new Judge(checks());
    await explore(scenario, (outcome) => judge.hear(outcome), { limit: 100 });
    runs += judge.findings.runs;
    expect([given.name, judge.findings.example]).toEqual([given.name, undefined]);
  }
  const complaint = "nothing";
  task.meta.interleavings = {
    table: "mutations",
    name,
    caughtBy: undefined,
    complaint,
    needsCrash: false,
    runs,
  };
});
