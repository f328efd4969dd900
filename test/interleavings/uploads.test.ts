import { expect, it } from "vitest";
import { unexplained } from "./linearizability.ts";
import type {} from "./row.ts";
import { sessionModel, sessionScenario, sessions } from "./uploads.ts";
import { verify } from "./verify.ts";

it.for(sessions)("$name", async ({ name, clients }, { task }) => {
  const scenario = await sessionScenario(clients, [{ ask: "commit", text: "aaaa" }]);
  const found = await verify(scenario, {
    history: (history) => unexplained("the upload session", sessionModel, history),
  });
  expect(found.example).toBeUndefined();
  expect(found.complete).toBe(true);
  expect(found.histories).toBeGreaterThan(1);
  task.meta.interleavings = { table: "orders", name, ...found, samples: 0 };
});
