import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a request costs, as counted. */
export interface Cost {
  readonly A: number;
  readonly B: number;
  readonly kv: number;
}

const table = readFileSync(join(import.meta.dirname, "../../docs/budgets.md"), "utf8");

/** What docs/budgets.md says of a request. @throws Error if it has no such row. */
export function costOf(request: string): Cost {
  const row = table.split("\n").find((line) => line.startsWith(`| ${request} |`));
  if (row === undefined) throw new Error(`docs/budgets.md says nothing of: ${request}`);
  const [A = 0, B = 0, kv = 0] = row.slice(`| ${request} |`.length).split("|").map(Number);
  return { A, B, kv };
}
