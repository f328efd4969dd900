import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pairs } from "./cases.ts";
import { sweeps } from "./collector.ts";
import { foreignMutations } from "./foreign-cases.ts";
import { garbage } from "./garbage-cases.ts";
import { guardMutations } from "./guard-mutations.ts";
import { mutations, needless } from "./mutations.ts";
import { names, report } from "./report.ts";

const text = readFileSync(join(import.meta.dirname, "../../docs/interleavings.md"), "utf8");
const sections = new Map(
  text.split(/^## /m).map((section) => [section.slice(0, section.indexOf("\n")), rowsOf(section)] as const),
);

function rowsOf(section: string): readonly (readonly string[])[] {
  return section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2)
    .map((line) => line.slice(2, -2).split(" | "));
}

/** The first columns of a table. */
function firstColumn(section: string): readonly (string | undefined)[] {
  return (sections.get(section) ?? []).map(([name]) => name).toSorted();
}

describe("docs/interleavings.md", () => {
  it("has the introduction that the reporter writes", () => {
    const introduction = report([]).split("## Orders")[0] ?? "";
    expect(text.startsWith(introduction)).toBe(true);
  });

  it("tells of every case, every crash and every step left out", () => {
    expect(firstColumn("Orders")).toEqual(names.toSorted());
    expect(firstColumn("Requests that die")).toEqual(
      [...pairs, ...sweeps, ...garbage].map(({ name }) => name).toSorted(),
    );
    expect(firstColumn("Steps left out")).toEqual(
      [...mutations, ...guardMutations, ...foreignMutations, ...needless].map(({ name }) => name).toSorted(),
    );
  });

  it("names for each step the case that must catch it", () => {
    for (const { name, caughtBy, needsCrash } of mutations) {
      const row = sections.get("Steps left out")?.find(([first]) => first === name);
      expect(row?.[1]).toBe(`${caughtBy}${needsCrash ? ", one dies" : ""}`);
    }
  });

  it("reports no violation", () => {
    const counts = ["Orders", "Requests that die"].flatMap((section) =>
      (sections.get(section) ?? []).map((row) => row.at(-1)),
    );
    expect(new Set(counts)).toEqual(new Set(["0"]));
  });
});
