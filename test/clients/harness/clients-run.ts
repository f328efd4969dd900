import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Cleanup } from "./cleanup.ts";
import { type Client, type ClientEntry, features, type Lab, Skip } from "./client.ts";
import { goTool } from "./go-tools.ts";
import type { Report } from "./report.ts";
import { isInPath } from "./requirements.ts";

export interface ClientsRun {
  readonly lab: Omit<Lab, "dir" | "cleanup">;
  /** A folder for all the clients. */
  readonly dir: string;
  readonly report: Report;
  /** Debian packages that could not be installed, with the reason. */
  readonly missingPackages: ReadonlyMap<string, string>;
  /** In CI a client that cannot be had is a failure, elsewhere it is skipped. */
  readonly strict: boolean;
}

/** Makes all the checks of one client, and undoes what it started. */
export async function runClient(run: ClientsRun, entry: ClientEntry): Promise<void> {
  const cleanup = new Cleanup();
  const dir = join(run.dir, entry.name);
  await mkdir(dir);
  try {
    let client: Client | undefined;
    await record(run, entry.name, "start", async () => {
      client = await open(run, entry, { ...run.lab, dir, cleanup });
    });
    if (client === undefined) return;
    run.report.versions.set(entry.name, entry.goTool?.version ?? client.version ?? "unknown");
    for (const feature of features) {
      if (feature === "start") continue;
      run.lab.processes.throwIfInterrupted();
      const check = client.checks[feature];
      if (check !== undefined) await record(run, entry.name, feature, check);
    }
  } finally {
    await cleanup.run();
  }
}

async function open(run: ClientsRun, entry: ClientEntry, lab: Lab): Promise<Client> {
  const unobtainable = (reason: string) => (run.strict ? new Error(reason) : new Skip(reason));
  for (const name of entry.packages) {
    const reason = run.missingPackages.get(name);
    if (reason !== undefined) throw unobtainable(`package ${name}: ${reason}`);
  }
  if (entry.goTool === undefined) return await entry.open(lab, "");
  if (!(await isInPath("go"))) throw unobtainable("it is built with go, which is not here");
  const program = await goTool(lab.processes, entry.goTool).catch((error: unknown) => {
    throw unobtainable(String(error));
  });
  return await entry.open(lab, program);
}

async function record(
  run: ClientsRun,
  client: string,
  feature: (typeof features)[number],
  check: () => Promise<void>,
): Promise<void> {
  const started = performance.now();
  try {
    await check();
    run.report.add({ client, feature, outcome: "ok" }, (performance.now() - started) / 1000);
  } catch (error) {
    const outcome = error instanceof Skip ? "skip" : "FAIL";
    const reason = error instanceof Error ? error.message : String(error);
    run.report.add({ client, feature, outcome, reason }, (performance.now() - started) / 1000);
  }
}
