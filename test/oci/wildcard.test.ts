import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesWildcard } from "../../src/oci/wildcard.ts";

const texts = fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "-"), maxLength: 12 });
const patterns = fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "*"), maxLength: 8 });

/** The same by a regular expression, which takes its time. */
function byExpression(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(".", "\\."));
  return new RegExp(`^${parts.join(".*")}$`).test(text);
}

describe("a pattern", () => {
  it("matches what the expression matches", () => {
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        expect(matchesWildcard(pattern, text)).toBe(byExpression(pattern, text));
      }),
      { numRuns: 5000 },
    );
  });

  it("matches every text that is made from it", () => {
    fc.assert(
      fc.property(patterns, fc.array(texts, { minLength: 9, maxLength: 9 }), (pattern, fillings) => {
        const text = pattern
          .split("*")
          .reduce((made, part, index) => made + (fillings[index - 1] ?? "") + part);
        expect(matchesWildcard(pattern, text)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["team/*", "team/app", true],
    ["team/*", "team/app/x", true],
    ["team/*", "team", false],
    ["team/*", "teams/app", false],
    ["team/app", "team/app2", false],
    ["team/app", "my/team/app", false],
    ["*", "", true],
    ["", "", true],
    ["a*a", "a", false],
    ["**", "x", true],
  ])("%s and %s: %s", (pattern, text, outcome) => {
    expect(matchesWildcard(pattern, text)).toBe(outcome);
  });

  it("with many stars takes no time", () => {
    expect(matchesWildcard(`${"*a".repeat(120)}b`, "a".repeat(255))).toBe(false);
  });
});
