import { join } from "node:path";
import { bigLayer, type Fixture, type Fixtures, makeFixtures, mebibyte } from "../clients/fixtures/images.ts";
import type { Processes } from "../clients/harness/processes.ts";
import type { Checks } from "./checks.ts";
import type { Holdings } from "./registry.ts";

const root = join(import.meta.dirname, "..", "..");

export interface World {
  readonly processes: Processes;
  readonly checks: Checks;
  /** A folder for the run. */
  readonly dir: string;
  readonly fixtures: Fixtures & { readonly twoParts: Fixture };
  /** Where Skerry keeps its bucket. */
  readonly state: string;
  /** What the registry in use holds. */
  readonly holdings: Holdings;
}

/** The images that are pushed; one has a layer that import copies in two parts. */
export async function makeInterchangeFixtures(processes: Processes, dir: string): Promise<World["fixtures"]> {
  return { ...(await makeFixtures(processes, dir)), twoParts: await bigLayer(processes, dir, 34 * mebibyte) };
}

/** Runs a command of `npm run skerry` on the bucket. @returns its standard output. */
export function skerry(
  { processes, state }: World,
  command: string,
  ...args: readonly string[]
): Promise<string> {
  const program = [process.execPath, join(root, "scripts", "skerry.ts"), command, "--persist-to", state];
  return processes.run([...program, ...args], { cwd: root, timeout: 120 });
}

/** skopeo copy with everything that an index refers to. */
export async function copy(
  { processes }: World,
  from: string,
  to: string,
  ...more: readonly string[]
): Promise<void> {
  const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  await processes.run(["skopeo", "copy", "--all", ...insecure, ...more, from, to]);
}
