import { expect, it } from "vitest";
import { counted, type Summary } from "../doubles/rounds.ts";
import { createTestRegistry } from "../support/registry.ts";
import { authorizedRows } from "./authorized.ts";
import { deletes } from "./deletes.ts";
import { listings } from "./listings.ts";
import { pushes } from "./pushes.ts";
import { reads } from "./reads.ts";
import type { Budget, Row } from "./row.ts";
import { collapse, shortened } from "./table.ts";
import { uploads } from "./uploads.ts";

const rows: readonly Row[] = [...reads, ...uploads, ...pushes, ...listings, ...deletes, ...authorizedRows];

interface Measured extends Summary {
  /** Rounds until the answer; the rest come after it. */
  readonly answered: number;
}

async function measure(row: Row): Promise<Measured> {
  let onAnswer = () => {};
  const world = createTestRegistry({
    edgeCache: true,
    onAnswer: () => onAnswer(),
    ...(row.config && { config: row.config }),
  });
  const client = world.client();
  const request = await row.prepare(client, world);
  let answered = 0;
  const summary = await counted(world.gate, (network) => {
    onAnswer = () => {
      answered = network.rounds;
    };
    return request();
  });
  expect(summary.result.status).toBe(row.status);
  return { ...summary, answered };
}

const measured = new Map<Row, Measured>();

it.each(rows)("$request stays within its budget", async (row) => {
  const summary = await measure(row);
  measured.set(row, summary);
  const { A, B, kv, cache, rounds } = summary;
  const budget: Required<Budget> = { cache: 0, ...row.budget };
  const over = Object.entries({ A, B, kv, cache, rounds }).filter(
    ([what, count]) => count > budget[what as keyof Budget],
  );
  expect(over, summary.operations.join("\n")).toEqual([]);
});

it("writes the table in docs/budgets.md", async () => {
  expect(measured.size).toBe(rows.length);
  const lines = [...measured].map(([{ request }, { A, B, kv, cache, rounds, answered, operations }]) => {
    const after = rounds > answered ? ` + ${rounds - answered}` : "";
    const counts = [A, B, kv, cache, `${answered}${after}`].join(" | ");
    return `| ${request} | ${counts} | ${operations.map(shortened).join(" · ")} |`;
  });
  const text = [
    "# Operations of each request, as counted",
    "",
    "Written by `test/budgets/budgets.test.ts`, which runs each request through the whole application over doubles",
    "that count, on a network where every operation takes one tick and six of a request are in flight at most.",
    "A: R2 writes and lists. B: R2 reads. Cache: the cache of the data centre, which is free. Rounds: how many times",
    "the request waits, and after a plus sign how many times what it leaves behind for after its answer does. R2",
    "deletes are free and not counted as A. Repeated operations in a row are written once, with their number.",
    "",
    "| request | A | B | KV | cache | rounds | operations in order |",
    "|---|---|---|---|---|---|---|",
    ...collapse(lines),
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot("../../docs/budgets.md");
});
