import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { columns } from "../../src/observe/data-point.ts";

it("docs/operations.md names the columns of a data point", async () => {
  const page = await readFile(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
  const rows = page.matchAll(/^\| `((?:index|blob|double)\d+)` \| (.*) \|$/gm);
  expect([...rows].map(([, column, name]) => [column, name])).toEqual(Object.entries(columns));
});
