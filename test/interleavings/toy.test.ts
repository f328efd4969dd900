import { describe, expect, it } from "vitest";
import { unexplained } from "./linearizability.ts";
import { deletesTheKey, doesNotSwap, model, type Protocol, type Question, right, scenario } from "./toy.ts";
import { verify } from "./verify.ts";

const set = (value: string): Question => ({ ask: "set", value });
const create = (value: string): Question => ({ ask: "set", value, ifAbsent: true });
const remove: Question = { ask: "remove" };
const read: Question = { ask: "read" };

const run = async (protocol: Protocol, initial: string | null, clients: readonly (readonly Question[])[]) =>
  verify(await scenario(protocol, initial, clients), {
    history: (history) => unexplained("the register", model(initial), history),
  });

describe("a register that is only swapped", () => {
  it.each([
    ["set beside set", null, [[set("a")], [set("b")]]],
    ["set beside remove", "a", [[set("b")], [remove]]],
    ["create beside create", null, [[create("a")], [create("b")]]],
    ["create beside remove", "a", [[create("b")], [remove]]],
    ["remove beside remove", "a", [[remove], [remove]]],
    ["set, remove and readers", "a", [[set("b")], [remove], [read, read]]],
    ["create, remove and a reader", "a", [[create("b")], [remove], [read, create("c")]]],
  ] as const)("%s", async (_name, initial, clients) => {
    const verdict = await run(right, initial, clients);
    expect(verdict).toMatchObject({ violations: 0, complete: true });
  });
});

describe("what loses something is caught", () => {
  it("a removal that deletes the key after the swap", async () => {
    const verdict = await run(deletesTheKey, "a", [[create("b")], [remove]]);
    expect(verdict.violations).toBeGreaterThan(0);
  });

  it("a set without a condition", async () => {
    const verdict = await run(doesNotSwap, null, [[create("a")], [create("b")]]);
    expect(verdict.violations).toBeGreaterThan(0);
  });
});
