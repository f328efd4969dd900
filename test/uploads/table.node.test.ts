import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const folders = ["test/uploads", "test/blobs"];

/** The test files, by the name under which docs/uploads.md knows them, with their text. */
const files = new Map(
  folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith(".test.ts") && join(root, folder, file) !== import.meta.filename)
      .map(
        (file) => [file.replace(/\.test\.ts$/, ""), readFileSync(join(root, folder, file), "utf8")] as const,
      ),
  ),
);

/** What the last column of the table of conditions names: a file, and titles in it. */
const cited = readFileSync(join(root, "docs/uploads.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("|") && line.includes(" › "))
  .flatMap(
    (line) =>
      line
        .split("|")
        .at(-2)
        ?.split(/;(?= [\w.]+ › )/) ?? [],
  )
  .map((reference) => reference.trim());

describe("the table of conditions in docs/uploads.md", () => {
  test.each(cited)("names a test that exists: %s", (reference) => {
    const [file = "", title = ""] = reference.split(" › ");
    const titles = (files.get(file) ?? "").matchAll(
      /(?:\b(?:it|test|describe)|\))\(\s*(?:"([^"\n]+)"|`([^`\n]+)`),/g,
    );
    expect(Array.from(titles, ([, plain, template]) => plain ?? template)).toContain(title);
  });

  test("leaves no test file out", () => {
    const named = new Set(cited.map((reference) => reference.split(" › ")[0]));
    expect([...files.keys()].filter((file) => !named.has(file))).toEqual([]);
  });
});
