import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { catalogue, commonPackages, unavailable } from "./catalogue.ts";
import { makeFixtures } from "./fixtures/images.ts";
import { Cleanup } from "./harness/cleanup.ts";
import { runClient } from "./harness/clients-run.ts";
import { startClosedServer } from "./harness/closed.ts";
import { writeMatrix } from "./harness/matrix.ts";
import { startMirror } from "./harness/mirror.ts";
import { installPackages } from "./harness/packages.ts";
import { Processes } from "./harness/processes.ts";
import { RegistryProbe } from "./harness/registry.ts";
import { Report } from "./harness/report.ts";
import { missingRequirement } from "./harness/requirements.ts";
import { seed } from "./harness/seed.ts";
import { startServer } from "./harness/server.ts";

// npm run test:clients [-- --only NAME]... [--registry HOST:PORT] [--write]
// Runs every client of the catalogue against Skerry, started here on a free port, or against the registry that is named.

const { values: flags } = parseArgs({
  options: {
    registry: { type: "string" },
    only: { type: "string", multiple: true },
    write: { type: "boolean", default: false },
  },
});
const strict = process.env.CI === "true";

process.exitCode = await main();

async function main(): Promise<number> {
  const names = catalogue.map(({ name }) => name);
  const unknown = (flags.only ?? []).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`no client is called ${unknown}: ${names.join(", ")}`);
  if (flags.write && (flags.only !== undefined || flags.registry !== undefined)) {
    throw new Error("the matrix is written from a whole run against Skerry: --write stands alone");
  }
  const requirement = await missingRequirement();
  if (requirement !== undefined) {
    console.log(`${strict ? "FAIL" : "skip"} all clients (${requirement})`);
    console.log(strict ? "0 passed, 1 failed" : "0 passed, 0 failed, 1 skipped");
    return strict ? 1 : 0;
  }

  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
  }
  const cleanup = new Cleanup();
  const report = new Report();
  try {
    await runAll(new Processes(interruption.signal), cleanup, report);
  } catch (error) {
    report.abort(String(error));
  }
  await cleanup.run().catch((error: unknown) => report.abort(String(error)));
  if (flags.write && report.complete) await writeMatrix(report);
  console.log(report.summary());
  return report.failed ? 1 : 0;
}

async function runAll(processes: Processes, cleanup: Cleanup, report: Report): Promise<void> {
  const entries = catalogue.filter(({ name }) => flags.only?.includes(name) ?? true);
  const packages = new Set([...commonPackages, ...entries.flatMap((entry) => entry.packages)]);
  const missingPackages = await installPackages(processes, [...packages]);

  // podman takes at most 50 characters for its run folder, and buildah no capital letter in the path of a layout.
  const work = join("/tmp", `skerry-${randomBytes(4).toString("hex")}`);
  await mkdir(work, { mode: 0o700 });
  cleanup.add(() => rm(work, { recursive: true, force: true }));
  const fixtures = await makeFixtures(processes, join(work, "fixtures"));
  let host = flags.registry;
  if (host === undefined) {
    const server = await startServer(processes, join(work, "state"));
    cleanup.add(() => server.stop());
    host = server.host;
  }
  const closed = flags.registry === undefined ? await startClosedServer(processes, work) : undefined;
  if (closed !== undefined) cleanup.add(() => closed.stop());
  // In CI what cannot be had is a failure.
  const hasMirror = flags.registry === undefined && (strict || !missingPackages.has("docker-registry"));
  const mirror = hasMirror ? await startMirror(processes, work, cleanup) : undefined;
  const registry = new RegistryProbe(host);
  await registry.ready(30);
  await seed(processes, registry, fixtures);

  for (const entry of entries) {
    await runClient(
      { lab: { processes, registry, fixtures, closed, mirror }, dir: work, report, missingPackages, strict },
      entry,
    );
  }
  if (flags.only !== undefined) return;
  for (const { name, reason } of unavailable) {
    report.add({ client: name, feature: "start", outcome: "skip", reason }, 0);
  }
}
