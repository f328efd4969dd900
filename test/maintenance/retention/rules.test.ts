import { describe, expect, it } from "vitest";
import { Judge, type Judged } from "../../../src/maintenance/retention/judge.ts";
import { asksForPulls, parseRetention, ruleFor } from "../../../src/maintenance/retention/rules.ts";
import { parseRepositoryName, type Tag } from "../../../src/oci/name.ts";

const day = 24 * 3600 * 1000;
const now = 1000 * day;

/** A tag set so many days ago, and pulled so many days ago if that is given. */
function tag(name: string, age: number, pulled = age): Judged {
  return { tag: name as Tag, at: now - age * day, pulledAt: now - pulled * day, isImmutable: false };
}

function judged(rule: object, tags: readonly Judged[]) {
  const [parsed] = parseRetention(JSON.stringify([{ repositories: ["*"], ...rule }]));
  if (parsed === undefined) throw new Error("no rule");
  const judge = new Judge(parsed, now);
  for (const each of tags) judge.see(each);
  return Object.fromEntries(
    tags.map((each) => {
      const { keeps, because } = judge.judge(each);
      return [each.tag, `${keeps ? "keep" : "drop"}: ${because}`];
    }),
  );
}

describe("a rule", () => {
  it("keeps the newest, by time and then by name", () => {
    const tags = [tag("a", 3), tag("b", 1), tag("c", 2), tag("d", 2)];
    expect(judged({ keep: { newest: 2 } }, tags)).toEqual({
      a: "drop: not among the newest 2",
      b: "keep: among the newest 2",
      c: "drop: not among the newest 2",
      d: "keep: among the newest 2",
    });
  });

  it("keeps the newest of a kind", () => {
    const tags = [tag("v1", 3), tag("v2", 2), tag("dev", 1)];
    expect(judged({ keep: { newest: 1, of: ["v*"] } }, tags)).toEqual({
      v1: "drop: not among the newest 1 of v*",
      v2: "keep: among the newest 1 of v*",
      dev: "drop: not among the newest 1 of v*",
    });
  });

  it("keeps what is newer, what was pulled and what has a name", () => {
    const keep = { any: [{ newerThanDays: 2 }, { pulledWithinDays: 5 }, { tags: ["latest", "v*"] }] };
    expect(judged({ keep }, [tag("new", 1), tag("used", 9, 4), tag("v1", 9), tag("old", 2, 5)])).toEqual({
      new: "keep: newer than 2 days",
      used: "keep: pulled within 5 days",
      v1: "keep: named latest v*",
      old: "drop: not (newer than 2 days or pulled within 5 days or named latest v*)",
    });
  });

  it("keeps what all of it holds for", () => {
    const keep = { all: [{ tags: ["v*"] }, { newerThanDays: 2 }] };
    expect(judged({ keep }, [tag("v1", 1), tag("v0", 3), tag("x", 1)])).toEqual({
      v1: "keep: named v* and newer than 2 days",
      v0: "drop: not (named v* and newer than 2 days)",
      x: "drop: not (named v* and newer than 2 days)",
    });
  });

  it("never drops what is immutable or protected", () => {
    const fixed = { ...tag("fixed", 99), isImmutable: true };
    expect(judged({ keep: { newest: 0 }, protect: ["main"] }, [fixed, tag("main", 99), tag("x", 0)])).toEqual(
      {
        fixed: "keep: immutable",
        main: "keep: protected",
        x: "drop: not among the newest 0",
      },
    );
  });

  it("without `keep` drops no tags", () => {
    expect(judged({ untagged: { keepHours: 1 } }, [tag("x", 99)])).toEqual({
      x: "keep: the rule drops no tags",
    });
  });
});

it("judges 50,000 tags by the newest 10,000 as a sort would", () => {
  const tags = Array.from({ length: 50_000 }, (_, index) => tag(`t${index}`, (index * 7919) % 49_999));
  const kept = Object.entries(judged({ keep: { newest: 10_000 } }, tags)).filter(([, text]) =>
    text.startsWith("keep"),
  );
  const sorted = tags.toSorted((a, b) => b.at - a.at || (a.tag > b.tag ? -1 : 1)).slice(0, 10_000);
  expect(new Set(kept.map(([name]) => name))).toEqual(new Set(sorted.map((each) => each.tag)));
});

describe("RETENTION", () => {
  it("has the first rule that matches", () => {
    const list = parseRetention(
      '[{"repositories":["a/*"],"keep":{"newest":1}},{"repositories":["*"],"keep":{"newest":2}}]',
    );
    expect(ruleFor(list, parseRepositoryName("a/b"))?.keep).toEqual({ newest: 1 });
    expect(ruleFor(list, parseRepositoryName("b"))?.keep).toEqual({ newest: 2 });
    expect(ruleFor([], parseRepositoryName("b"))).toBeUndefined();
  });

  it.each([
    ['{"keep":{"any":[{"newest":1},{"all":[{"pulledWithinDays":3}]}]}}', true],
    ['{"untagged":{"keepHours":1,"pulledWithinDays":3}}', true],
    ['{"keep":{"newerThanDays":3},"untagged":{"keepHours":1}}', false],
  ])("%s asks for pulls: %s", (rule, expected) => {
    const [parsed] = parseRetention(JSON.stringify([{ repositories: ["*"], ...JSON.parse(rule) }]));
    expect(parsed && asksForPulls(parsed)).toBe(expected);
  });

  it.each([
    ["no JSON", "["],
    ["no list", "{}"],
    ["no repositories", '[{"keep":{"newest":1}}]'],
    ["an empty pattern", '[{"repositories":[""]}]'],
    ["an unknown condition", '[{"repositories":["*"],"keep":{"oldest":1}}]'],
    ["two conditions in one", '[{"repositories":["*"],"keep":{"newest":1,"newerThanDays":1}}]'],
    ["a number below zero", '[{"repositories":["*"],"keep":{"newest":-1}}]'],
    ["more of the newest than memory holds", '[{"repositories":["*"],"keep":{"newest":10001}}]'],
    ["an empty any", '[{"repositories":["*"],"keep":{"any":[]}}]'],
  ])("is refused with %s", (_, text) => {
    expect(() => parseRetention(text)).toThrow();
  });
});
