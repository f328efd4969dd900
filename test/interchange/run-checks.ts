import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cleanup } from "../clients/harness/cleanup.ts";
import { installPackages } from "../clients/harness/packages.ts";
import { Processes } from "../clients/harness/processes.ts";
import { missingRequirement } from "../clients/harness/requirements.ts";
import { Checks } from "./checks.ts";

/** What a run of checks works with. */
export interface ChecksRun {
  readonly processes: Processes;
  readonly checks: Checks;
  /** A folder for the run, removed at its end. */
  readonly dir: string;
  /** Undone at the end. */
  readonly cleanup: Cleanup;
}

/**
 * Runs checks that need programs of Debian: outside CI they are skipped where these cannot be had, and in CI that is
 * a failure. The last line printed is the sum.
 * @returns the exit code.
 */
export async function runChecks(
  name: string,
  packages: readonly string[],
  work: (run: ChecksRun) => Promise<void>,
): Promise<number> {
  const strict = process.env.CI === "true";
  const checks = new Checks();
  const cleanup = new Cleanup();
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
  }
  try {
    const processes = new Processes(interruption.signal);
    const requirement = (await missingRequirement()) ?? (await missingPackage(processes, packages));
    if (requirement !== undefined && !strict) {
      console.log(`skip all checks (${requirement})`);
      console.log("0 passed, 0 failed, 1 skipped");
      return 0;
    }
    if (requirement !== undefined) throw new Error(requirement);
    const dir = await mkdtemp(join(tmpdir(), `skerry-${name}-`));
    cleanup.add(() => rm(dir, { recursive: true, force: true }));
    await work({ processes, checks, dir, cleanup });
  } catch (error) {
    checks.fail("the run", error);
  }
  await cleanup.run().catch((error: unknown) => checks.fail("cleaning up", error));
  console.log(checks.summary());
  return checks.failed > 0 ? 1 : 0;
}

async function missingPackage(
  processes: Processes,
  packages: readonly string[],
): Promise<string | undefined> {
  const [missing] = await installPackages(processes, packages);
  return missing && `package ${missing.join(": ")}`;
}
