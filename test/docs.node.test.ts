import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { documents, withTable } from "../scripts/docs.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs")).map((file) => `docs/${file}`),
].filter((path) => path.endsWith(".md"));

describe("the table of variables", () => {
  it.each(documents)("in %s is that of src/settings.ts (else: npm run docs)", (path) => {
    expect(read(path)).toBe(withTable(read(path)));
  });
});

describe("links between pages", () => {
  it.each(pages)("of %s lead somewhere", (path) => {
    const targets = [...read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(
      ([, target]) => target ?? "",
    );
    const local = targets.filter((target) => !/^[a-z]+:/.test(target));
    const missing = local.filter((target) => {
      const file = normalize(join(dirname(path), target));
      try {
        readFileSync(join(root, file));
        return false;
      } catch {
        return true;
      }
    });
    expect(missing).toEqual([]);
  });
});

it("every npm script that a page names exists", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const missing = pages.flatMap((path) =>
    [...read(path).matchAll(/npm run ([a-z][a-z:]*)/g)]
      .map(([, name]) => name ?? "")
      .filter((name) => scripts[name] === undefined)
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});
