import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/clients/harness/free-port.ts";
import type { Background, Processes } from "../../test/clients/harness/processes.ts";
import { startServer } from "../../test/clients/harness/server.ts";

/** A registry of this machine under load. */
export interface LocalServer extends Background {
  readonly origin: string;
}

/** Starts Skerry as `npm start` does, with its state in `dir`. */
export async function startSkerry(processes: Processes, dir: string): Promise<LocalServer> {
  const server = await startServer(processes, dir);
  return { ...server, origin: `http://${server.host}` };
}

const distribution = "/usr/bin/docker-registry";

/** Whether Debian's docker-registry is installed. */
export async function hasDistribution(): Promise<boolean> {
  return access(distribution).then(
    () => true,
    () => false,
  );
}

/** Starts Debian's docker-registry (distribution) with its state in `dir`, quiet and open to everybody. */
export async function startDistribution(processes: Processes, dir: string): Promise<LocalServer> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, "registry") }, delete: { enabled: true } },
    http: { addr: host },
  };
  const file = join(dir, "config.yml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const origin = `http://${host}`;
  const ready = () =>
    fetch(`${origin}/v2/`).then(
      (response) => response.ok,
      () => false,
    );
  const server = await processes.start([distribution, "serve", file], { ready });
  return { ...server, origin };
}
