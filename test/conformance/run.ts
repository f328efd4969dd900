import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../../scripts/build-worker.ts";
import { startLocalRegistry } from "../../scripts/local-registry.ts";
import { type Profile, profiles } from "./profiles.ts";
import { checkRequirements, withResults } from "./requirements.ts";
import { buildSuite, runSuite, type SuiteResult } from "./suite.ts";

const usage = `npm run test:conformance -- [--write]

Runs the conformance suite of the OCI distribution specification, once for each profile, against a fresh registry.
  --write    put the results into docs/conformance.md`;

const documentPath = join(projectRoot, "docs/conformance.md");

async function runProfile(program: string, profile: Profile): Promise<SuiteResult> {
  const persistTo = await mkdtemp(join(tmpdir(), "skerry-conformance-"));
  const registry = await startLocalRegistry({ persistTo, vars: profile.vars });
  try {
    return await runSuite(program, new URL(registry.origin).host, profile.name, profile.settings);
  } finally {
    await registry.stop();
    await rm(persistTo, { recursive: true });
  }
}

/** Why this result is not the one expected; empty if it is. */
function shortfalls(profile: Profile, result: SuiteResult): readonly string[] {
  const missed = result.cases
    .filter(({ name, status }) => status !== "passed" && !profile.disabled.includes(name))
    .map(({ name, status, message }) => `${status}: ${name}\n      ${message.replaceAll("\n", "\n      ")}`);
  if (missed.length > 0) return missed;
  const total =
    result.passed === profile.passes ? [] : [`${result.passed} passes, ${profile.passes} expected`];
  const disabled =
    result.disabled === profile.disabled.length ? [] : [`${result.disabled} checks are disabled`];
  return [...total, ...disabled];
}

/** Ends with the line that counts: checks passed, and checks failed or skipped that need not be. */
function finish(passed: number, failed: number): void {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { write: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
  });
  if (values.help) return console.log(usage);

  const program = await buildSuite();
  if (program === undefined) {
    console.log("SKIPPED: the conformance suite is a Go program, and there is no go on the PATH");
    return process.env.CI ? finish(0, 1) : undefined;
  }

  const results = new Map<Profile, SuiteResult>();
  let failed = 0;
  for (const profile of profiles) {
    const result = await runProfile(program, profile);
    results.set(profile, result);
    const problems = shortfalls(profile, result);
    failed += problems.length;
    console.log(
      `${profile.name}: ${result.passed} of ${profile.passes} passed, ${result.failed} failed, ` +
        `${result.skipped} skipped, ${result.disabled} disabled by the suite's settings`,
    );
    for (const problem of problems) console.log(`    ${problem}`);
  }

  const document = await readFile(documentPath, "utf8");
  const cases = [...results.values()].flatMap((result) => result.cases);
  const gaps = [...(await checkRequirements(document, cases))];
  const renewed = withResults(document, results);
  if (values.write) await writeFile(documentPath, renewed);
  else if (renewed !== document) gaps.push("the figures are not those of this run: use --write");
  for (const gap of gaps) console.log(`docs/conformance.md: ${gap}`);

  const passed = [...results.values()].reduce((sum, result) => sum + result.passed, 0);
  finish(passed, failed + gaps.length);
}

await main();
