import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../scripts/build-worker.ts";
import type { Profile } from "./profiles.ts";
import { type SuiteCase, type SuiteResult, suiteModule, suiteVersion } from "./suite.ts";

/** The registry-side requirements of the specification are numbered 1 to this in docs/conformance.md. */
const requirementCount = 132;

const resultsBlock = /(<!-- results -->\n)[\s\S]*?(<!-- \/results -->)/;

interface Requirement {
  readonly number: number;
  /** Branches of the suite, and test files of this project. */
  readonly shownBy: readonly string[];
  /** Why there is nothing to show, for a duty of the client or a freedom that is not taken. */
  readonly reason: string;
}

/** The rows `| number | level | requirement | shown by |` of the document; evidence stands in code spans. */
function parseRequirements(document: string): readonly Requirement[] {
  return Array.from(document.matchAll(/^\| (\d+) \|.*\| ([^|]*) \|$/gm), ([, number, cell = ""]) => ({
    number: Number(number),
    shownBy: Array.from(cell.matchAll(/`([^`]+)`/g), ([, evidence = ""]) => evidence),
    reason: cell.replaceAll(/`[^`]+`/g, "").replaceAll(/[\s,]/g, ""),
  }));
}

/** The numbers that the titles of this project's conformance tests begin with, `"61, 62: ..."`. */
function numbersInTitles(source: string): ReadonlySet<number> {
  const titles = source.matchAll(/"([\d, ]+): /g);
  return new Set(Array.from(titles).flatMap(([, numbers = ""]) => numbers.split(", ").map(Number)));
}

async function isShown(number: number, evidence: string, cases: readonly SuiteCase[]): Promise<boolean> {
  if (!evidence.startsWith("test/")) {
    const branch = cases.filter(({ name }) => name === evidence || name.startsWith(`${evidence}/`));
    return branch.some(({ status }) => status === "passed");
  }
  const source = await readFile(join(projectRoot, evidence), "utf8").catch(() => undefined);
  if (source === undefined) return false;
  return !evidence.startsWith("test/conformance/") || numbersInTitles(source).has(number);
}

/**
 * What is wrong with the document's table: a number that is missing or out of order, a row that names neither
 * evidence nor a reason, a test that does not exist, a branch of the suite in which nothing passed.
 */
export async function checkRequirements(
  document: string,
  cases: readonly SuiteCase[],
): Promise<readonly string[]> {
  const requirements = parseRequirements(document);
  const gaps: string[] = [];
  for (let number = 1; number <= requirementCount; number++) {
    if (requirements[number - 1]?.number !== number)
      return [`requirement ${number} is not where it should be`];
  }
  for (const { number, shownBy, reason } of requirements) {
    if (shownBy.length === 0 && reason === "") gaps.push(`nothing shows requirement ${number}`);
    for (const evidence of shownBy) {
      if (!(await isShown(number, evidence, cases)))
        gaps.push(`requirement ${number} is not shown by ${evidence}`);
    }
  }
  return gaps;
}

/** The document with the version of the suite and the table of these results between its markers. */
export function withResults(document: string, results: ReadonlyMap<Profile, SuiteResult>): string {
  const rows = Array.from(
    results,
    ([{ title, disabled }, result]) =>
      `| ${title} | ${result.passed} | ${result.failed} | ${result.skipped} | ${disabled.length} |`,
  );
  const block = [
    `Suite: \`${suiteModule}@${suiteVersion}\``,
    "",
    "| profile | passed | failed | skipped | left out by the suite |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
  return document.replace(resultsBlock, (_, start: string, end: string) => `${start}${block}${end}`);
}
