import { expect, it } from "vitest";
import { costs, pullUse, pushUse } from "../../bench/costs.ts";
import { costOf } from "../../bench/support/budgets.ts";

it("writes docs/costs.md", async () => {
  await expect(costs()).toMatchFileSnapshot("../../docs/costs.md");
});

it("adds up what docker asks for", () => {
  const { A, B, requests } = pushUse();
  // Three layers by three segments each and a commit, a small configuration, a manifest.
  expect({ A, B, requests }).toEqual({ A: 3 * 6 + 4 + 6, B: 12 + 3 * 6 + 5 + 20, requests: 27 });
  expect(pullUse()).toMatchObject({ A: 0, requests: 16 });
});

it("counts the waits for R2, not those for the data centre's cache", () => {
  expect(costOf("GET manifest by tag, KV right").rounds).toBe(1);
  expect(costOf("GET manifest by tag, eventual").rounds).toBe(0);
  expect(costOf("GET manifest by digest").rounds).toBe(1);
  expect(costOf("GET blob, with a copy in the data centre").rounds).toBe(0);
  expect(costOf("DELETE blob").rounds).toBe(2);
  expect(() => costOf("GET nothing")).toThrow("says nothing of");
});
