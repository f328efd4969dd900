import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../clients/harness/free-port.ts";
import type { Background, Processes } from "../clients/harness/processes.ts";

/** Debian's docker-registry over a storage tree. */
export interface DistributionServer extends Background {
  /** `host:port` */
  readonly host: string;
}

/** Where configurations of docker-registry are written, and what runs it. */
export interface DistributionLab {
  readonly processes: Processes;
  readonly dir: string;
}

/** Serves the tree below `root` on a free port. */
export async function startDistribution(lab: DistributionLab, root: string): Promise<DistributionServer> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const config = await writeConfig(lab, root, host);
  const background = await lab.processes.start(["docker-registry", "serve", config], {
    ready: () =>
      fetch(`http://${host}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  return { ...background, host };
}

/** Runs distribution's own garbage collection over the tree, whose server has been stopped. @returns its output. */
export async function collectGarbage(lab: DistributionLab, root: string): Promise<string> {
  const config = await writeConfig(lab, root, "127.0.0.1:0");
  return lab.processes.run(["docker-registry", "garbage-collect", config]);
}

async function writeConfig({ dir }: DistributionLab, root: string, address: string): Promise<string> {
  const config = {
    version: 0.1,
    log: { level: "warn" },
    storage: { filesystem: { rootdirectory: root }, delete: { enabled: true } },
    http: { addr: address },
    validation: { manifests: { urls: { allow: ["^https://layers\\.example/"] } } },
  };
  // JSON is YAML.
  const path = join(dir, "distribution.yml");
  await writeFile(path, JSON.stringify(config));
  return path;
}
