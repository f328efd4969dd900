import { describe, expect, it } from "vitest";
import { type Answer, check, otherForm } from "./check.ts";
import { behaviourPage } from "./page.ts";
import type { Row } from "./row.ts";
import { accept } from "./rows/accept.ts";
import { children } from "./rows/children.ts";
import { conditions } from "./rows/conditions.ts";
import { decoding } from "./rows/decoding.ts";
import { deleting } from "./rows/deleting.ts";
import { errors } from "./rows/errors.ts";
import { foreign } from "./rows/foreign.ts";
import { listing } from "./rows/listing.ts";
import { lists } from "./rows/lists.ts";
import { pipeline } from "./rows/pipeline.ts";
import { policy } from "./rows/policy.ts";
import { reading } from "./rows/reading.ts";
import { references } from "./rows/references.ts";
import { tagStore } from "./rows/tag-store.ts";
import { writing } from "./rows/writing.ts";
import { codes, defects, notHere, rules } from "./rules.ts";

const sections = {
  pipeline: { title: "Before any handler", rows: pipeline },
  reading: { title: "Reading manifests", rows: reading },
  accept: { title: "What is served to whom", rows: accept },
  lists: { title: "Manifest lists for old clients", rows: lists },
  foreign: { title: "What distribution, or damage, left in the bucket", rows: foreign },
  writing: { title: "Writing manifests", rows: writing },
  decoding: { title: "What is a manifest", rows: decoding },
  references: { title: "What a manifest refers to", rows: references },
  children: { title: "What an index refers to", rows: children },
  conditions: { title: "Conditions, and tags beside a digest", rows: conditions },
  policy: { title: "Who may write what", rows: policy },
  deleting: { title: "Deleting manifests", rows: deleting },
  "tag-store": { title: "The tag store", rows: tagStore },
  listing: { title: "Lists of tags and repositories", rows: listing },
  errors: { title: "Error codes", rows: errors },
} as const;

const answers = new Map<Row, Answer>();

describe.each(Object.values(sections))("$title", ({ rows }) => {
  it.each(rows)("$rule: $request: $condition", async (row) => {
    answers.set(row, await check(row));
  });

  it.each(rows.filter(({ oneForm }) => !oneForm))(
    "M32: $rule: $request: the other form of the path",
    async (row) => {
      const request = otherForm(row.request);
      const { answer, ...rest } = row;
      // A Link repeats the path as it was asked for.
      const { Link, ...headers } = answer ?? {};
      await check({ ...rest, answer: headers }, request);
    },
  );
});

describe("the table", () => {
  const rows: readonly Row[] = Object.values(sections).flatMap((section) => section.rows);
  const shown = new Set(rows.flatMap(({ rule }) => rule.split(" ")));

  it("has every rule, or the reason why it is not here, and no rule that does not exist", () => {
    expect(rules.filter((rule) => !shown.has(rule) && notHere[rule] === undefined)).toEqual([]);
    expect([...shown].filter((rule) => rule !== "H" && !rules.includes(rule))).toEqual([]);
  });

  it("has every error code, or the reason why it is not here", () => {
    const used = new Set(rows.flatMap((row) => (row.errors ?? []).map(({ code }) => code)));
    expect(codes.filter((code) => !used.has(code) && notHere[code] === undefined)).toEqual([]);
  });

  it("gives no reason for what it shows", () => {
    expect(Object.keys(notHere).filter((rule) => shown.has(rule))).toEqual([]);
  });

  it("explains every defect that is a reason, and no other", () => {
    const named = rows.flatMap(({ differs }) => [...(differs?.because.matchAll(/\bM\d+/g) ?? [])].join());
    const unique = [...new Set(named.flatMap((names) => (names === "" ? [] : names.split(","))))];
    expect(unique.sort()).toEqual(Object.keys(defects).sort());
  });

  it("is docs/behaviour.md", async () => {
    expect(answers.size).toBe(rows.length);
    await expect(behaviourPage(sections, answers)).toMatchFileSnapshot("../../docs/behaviour.md");
  });
});
