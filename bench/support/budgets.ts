import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a request costs, as counted. */
export interface Cost {
  readonly A: number;
  readonly B: number;
  readonly kv: number;
  /** How often the request waits for R2 before its answer: rounds without those of the data centre's cache. */
  readonly rounds: number;
  /** Writes of links, of each of which R2 tells a queue that asks for them. */
  readonly links: number;
}

const table = readFileSync(join(import.meta.dirname, "../../docs/budgets.md"), "utf8");

/** What docs/budgets.md says of a request. @throws Error if it has no such row. */
export function costOf(request: string): Cost {
  const row = table.split("\n").find((line) => line.startsWith(`| ${request} |`));
  if (row === undefined) throw new Error(`docs/budgets.md says nothing of: ${request}`);
  const cells = row.slice(`| ${request} |`.length).split("|");
  const [A = 0, B = 0, kv = 0] = cells.map(Number);
  // "2 + 3": two before the answer, three for what it leaves behind.
  const waits = Number.parseInt(cells[4] ?? "", 10);
  const operations = cells[5] ?? "";
  const caches = ["get", "delete"].filter((kind) => operations.includes(`cache ${kind}`)).length;
  // Without any R2 the only waits are those for KV or the cache.
  const rounds = operations.includes("R2") ? waits - caches : 0;
  const writes = [...operations.matchAll(/R2 put \S+\/link\b[^·]*?(?:x(\d+))?(?= ·| \||$)/g)];
  const links = writes.reduce((sum, [, times]) => sum + Number(times ?? 1), 0);
  return { A, B, kv, rounds, links };
}
