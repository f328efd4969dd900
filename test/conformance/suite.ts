import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { projectRoot } from "../../scripts/build-worker.ts";

export const suiteModule = "github.com/opencontainers/distribution-spec/conformance";
export const suiteVersion = "v0.0.0-20260831232431-97274622c111";

/** One leaf of the suite's tree, named by its path below "OCI Conformance Test/". */
export interface SuiteCase {
  readonly name: string;
  readonly status: "passed" | "skipped" | "failure" | "error";
  readonly message: string;
}

export interface SuiteResult {
  readonly passed: number;
  /** Failures and errors of the suite itself. */
  readonly failed: number;
  /** What the registry does not support. */
  readonly skipped: number;
  /** What the settings of the suite leave out. */
  readonly disabled: number;
  readonly cases: readonly SuiteCase[];
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}

/**
 * The suite's program, built once for each version and kept below `node_modules/.cache`; undefined if there is no
 * `go` on the PATH.
 * @throws Error if it does not build.
 */
export async function buildSuite(): Promise<string | undefined> {
  const directory = join(projectRoot, "node_modules/.cache/oci-conformance", suiteVersion);
  const program = join(directory, "conformance");
  const isBuilt = await access(program).then(
    () => true,
    () => false,
  );
  if (isBuilt) return program;
  await mkdir(directory, { recursive: true });
  try {
    const { code, stderr } = await run("go", ["install", `${suiteModule}@${suiteVersion}`], {
      GOBIN: directory,
    });
    if (code !== 0) throw new Error(`go install ${suiteModule}@${suiteVersion} failed:\n${stderr}`);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return program;
}

/**
 * Runs the suite against the registry at `host` and keeps its reports in `results/conformance/<profile>`.
 * `settings` are the suite's own environment variables.
 * @throws Error if the suite wrote no report.
 */
export async function runSuite(
  program: string,
  host: string,
  profile: string,
  settings: Readonly<Record<string, string>>,
): Promise<SuiteResult> {
  const directory = join(projectRoot, "results/conformance", profile);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const { stdout, stderr } = await run(program, [], {
    OCI_REGISTRY: host,
    OCI_TLS: "disabled",
    OCI_RESULTS_DIR: directory,
    ...settings,
  });
  await writeFile(join(directory, "output.txt"), stdout + stderr);
  const report = await readFile(join(directory, "junit.xml"), "utf8").catch(() => {
    throw new Error(`the suite wrote no report:\n${stderr}`);
  });
  return parseReport(report);
}

/** Reads the JUnit report in the form that the suite's encoder gives it: one element a line, no CDATA. */
function parseReport(xml: string): SuiteResult {
  const head = /<testsuite [^>]*>/.exec(xml)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const [failed, skipped, disabled] = [
    count("failures") + count("errors"),
    count("skipped"),
    count("disabled"),
  ];
  const cases = xml.matchAll(
    /<testcase name="[^"/]*\/([^"]*)"[^>]* status="(passed|skipped|failure|error)">(?:\s*<system-out>([^<]*))?/g,
  );
  return {
    passed: count("tests") - failed - skipped - disabled,
    failed,
    skipped,
    disabled,
    cases: Array.from(cases, ([, name = "", status, message = ""]) => ({
      name: unescapeXml(name),
      status: status as SuiteCase["status"],
      message: unescapeXml(message),
    })),
  };
}

function unescapeXml(escaped: string): string {
  const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return escaped.replace(/&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));/g, (entity, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return decimal === undefined ? (named[name] ?? entity) : String.fromCodePoint(Number(decimal));
  });
}
