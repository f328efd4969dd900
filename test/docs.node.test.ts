import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { documents, withTable } from "../scripts/docs.ts";
import { complaintsAbout } from "./docs/blocks.ts";
import { blocksOf, inlineCommands, pages, read } from "./docs/pages.ts";

const root = join(import.meta.dirname, "..");

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

describe("the examples", () => {
  it.each(pages)("of %s are ones that work: commands are known, configuration is taken", async (page) => {
    const found: string[] = [];
    for (const block of [...blocksOf(page), ...inlineCommands(page)])
      found.push(...(await complaintsAbout(block)));
    expect(found).toEqual([]);
  });
});
