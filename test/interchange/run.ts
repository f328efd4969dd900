import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cleanup } from "../clients/harness/cleanup.ts";
import { installPackages } from "../clients/harness/packages.ts";
import { Processes } from "../clients/harness/processes.ts";
import { missingRequirement } from "../clients/harness/requirements.ts";
import { Checks } from "./checks.ts";
import { fromDistribution } from "./from-distribution.ts";
import { inPlace } from "./in-place.ts";
import type { Holdings } from "./registry.ts";
import { pushToSkerry, toDistribution } from "./to-distribution.ts";
import { makeInterchangeFixtures, type World } from "./world.ts";

// npm run test:interchange
// Takes over what Debian's docker-registry wrote, and hands it what Skerry holds.

const packages = ["docker-registry", "skopeo", "busybox-static"];

process.exitCode = await main();

async function main(): Promise<number> {
  const strict = process.env.CI === "true";
  const checks = new Checks();
  const cleanup = new Cleanup();
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
  }
  try {
    const processes = new Processes(interruption.signal);
    const requirement = (await missingRequirement()) ?? (await missingPackage(processes));
    if (requirement !== undefined && !strict) {
      console.log(`skip all checks (${requirement})`);
      console.log("0 passed, 0 failed, 1 skipped");
      return 0;
    }
    if (requirement !== undefined) throw new Error(requirement);
    const dir = await mkdtemp(join(tmpdir(), "skerry-interchange-"));
    cleanup.add(() => rm(dir, { recursive: true, force: true }));
    const world: World = {
      processes,
      checks,
      dir,
      fixtures: await makeInterchangeFixtures(processes, join(dir, "fixtures")),
      state: join(dir, "state"),
      holdings: new Map(),
    };
    await fromDistribution(world);
    await pushToSkerry(world);
    const held: Holdings = new Map([...world.holdings].map(([name, tags]) => [name, new Map(tags)]));
    await toDistribution(world);
    await inPlace({ ...world, holdings: held });
  } catch (error) {
    checks.fail("the run", error);
  }
  await cleanup.run().catch((error: unknown) => checks.fail("cleaning up", error));
  console.log(checks.summary());
  return checks.failed > 0 ? 1 : 0;
}

async function missingPackage(processes: Processes): Promise<string | undefined> {
  const [missing] = await installPackages(processes, packages);
  return missing && `package ${missing.join(": ")}`;
}
