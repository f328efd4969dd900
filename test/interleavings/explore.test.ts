import { describe, expect, it } from "vitest";
import type { Outcome, Scenario } from "./execution.ts";
import { explore } from "./explore.ts";
import { sample } from "./sample.ts";
import { type Answer, deletesTheKey, type Protocol, type Question, right, scenario } from "./toy.ts";

const set = (value: string): Question => ({ ask: "set", value });
const remove: Question = { ask: "remove" };
const read: Question = { ask: "read" };

const cases: readonly (readonly [string, Protocol, readonly (readonly Question[])[]])[] = [
  ["two writers", right, [[set("b")], [remove]]],
  ["two writers and a reader", right, [[set("b")], [remove], [read]]],
  [
    "a client of two requests",
    right,
    [
      [read, set("b")],
      [remove, read],
    ],
  ],
  ["a faulty protocol", deletesTheKey, [[read, set("b")], [remove]]],
];

/** What distinguishes outcomes: answers, what came before what, and what is left. */
function essence(outcome: Outcome<Question, Answer>): string {
  const { history } = outcome;
  const before = history.map(({ invoked }) =>
    history.map(({ returned }) => (returned !== undefined && returned <= invoked ? 1 : 0)).join(""),
  );
  return JSON.stringify([history.map(({ question, answer }) => [question, answer]), before]);
}

async function explored(of: Scenario<Question, Answer>, reduce: boolean) {
  const found = new Set<string>();
  const { orders, complete } = await explore(of, (outcome) => found.add(essence(outcome)), { reduce });
  return { found: [...found].toSorted(), orders, complete };
}

describe("the reduction", () => {
  it.each(cases)("of %s loses no outcome and saves runs", async (_name, protocol, clients) => {
    const of = await scenario(protocol, "a", clients);
    const all = await explored(of, false);
    const reduced = await explored(of, true);
    expect([all.complete, reduced.complete]).toEqual([true, true]);
    expect(reduced.found).toEqual(all.found);
    expect(reduced.orders).toBeLessThan(all.orders);
  });

  it("tries operations on different keys in one order only", async () => {
    const of = await scenario(right, null, [[], []]);
    const put = (key: string) => ({
      question: set(key),
      send: async ({ bucket }: { readonly bucket: Pick<R2Bucket, "put"> }) => {
        await bucket.put(`${key}/1`, "");
        await Promise.all([bucket.put(`${key}/2`, ""), bucket.put(`${key}/3`, "")]);
        await bucket.put(`${key}/4`, "");
        return async () => true;
      },
    });
    const clients = ["a", "b"].map((name) => ({ name, requests: [put(name)] }));
    const { orders } = await explore({ ...of, clients }, () => undefined);
    // Both overlap, a before b, and b before a: what a client can see.
    expect(orders).toBe(3);
  });
});

describe("sampling", () => {
  it("finds only outcomes that the exploration found", async () => {
    const of = await scenario(deletesTheKey, "a", [[read, set("b")], [remove], [read]]);
    const all = new Set<string>();
    await explore(of, (outcome) => all.add(essence(outcome)));
    const sampled = new Set<string>();
    await sample(of, (outcome) => sampled.add(essence(outcome)), { runs: 200, seed: "1" });
    expect([...sampled].filter((outcome) => !all.has(outcome))).toEqual([]);
    expect(sampled.size).toBeGreaterThan(all.size / 4);
  });

  it("is the same for the same seed", async () => {
    const of = await scenario(right, "a", [[set("b")], [remove], [read]]);
    const draw = async (seed: string) => {
      const outcomes: string[] = [];
      await sample(of, (outcome) => outcomes.push(essence(outcome)), { runs: 20, seed });
      return outcomes;
    };
    expect(await draw("1")).toEqual(await draw("1"));
    expect(await draw("1")).not.toEqual(await draw("2"));
  });
});
