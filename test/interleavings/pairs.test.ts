import { expect, it } from "vitest";
import { prepare } from "./case.ts";
import { pairs } from "./cases.ts";
import { patience } from "./effort.ts";
import type {} from "./row.ts";
import { verify } from "./verify.ts";

it.for(pairs)("$name: every order", { timeout: patience }, async (given, { task }) => {
  const { scenario, checks } = await prepare(given);
  const found = await verify(scenario, checks());
  expect(found.example).toBeUndefined();
  expect(found.complete).toBe(true);
  expect(found.histories).toBeGreaterThan(1);
  task.meta.interleavings = { table: "orders", name: given.name, ...found, samples: 0 };
});
