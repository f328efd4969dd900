import { expect, it } from "vitest";
import { prepare } from "./case.ts";
import { pairs } from "./cases.ts";
import { verifyCrashes } from "./crashes.ts";
import { effort, patience } from "./effort.ts";
import type {} from "./row.ts";

it.for(pairs)("$name: one dies", { timeout: patience }, async (given, { task }) => {
  const { scenario, checks } = await prepare(given);
  const found = await verifyCrashes(scenario, checks, { limit: 2 * effort, samples: effort });
  expect(found.example).toBeUndefined();
  expect(found.points).toBeGreaterThan(4);
  task.meta.interleavings = { table: "crashes", name: given.name, ...found };
});
