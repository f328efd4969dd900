import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";

it("every threat in docs/security.md names tests that there are", async () => {
  const text = await readFile(join(projectRoot, "docs/security.md"), "utf8");
  const [, table = ""] = /## Threats\n([\s\S]*?)\n## /.exec(text) ?? [];
  const rows = table.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| threat"));
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    const paths = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path ?? "");
    expect(paths, row).not.toEqual([]);
    await Promise.all(paths.map((path) => access(join(projectRoot, path))));
  }
});
