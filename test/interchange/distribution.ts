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

/** Where docker-registry keeps what it serves, as its configuration names it. */
export type Storage =
  | { readonly filesystem: { readonly rootdirectory: string } }
  | { readonly s3: S3Storage };

/** A bucket behind an S3 endpoint. */
export interface S3Storage {
  readonly regionendpoint: string;
  readonly bucket: string;
  readonly accesskey: string;
  readonly secretkey: string;
  readonly region: string;
  readonly secure: boolean;
  /** Bytes of a part of an upload. R2 wants parts of one size, and the driver makes the last one larger at times. */
  readonly chunksize?: number;
}

/** The storage of a tree below a folder. */
export function treeBelow(rootdirectory: string): Storage {
  return { filesystem: { rootdirectory } };
}

// The S3 driver of Debian's version cannot load a bundle of certificates that the environment names.
const command = ["env", "--unset=AWS_CA_BUNDLE", "docker-registry"];

/** Serves what the storage holds on a free port; to those in a file of Apache's htpasswd alone, if one is named. */
export async function startDistribution(
  lab: DistributionLab,
  storage: Storage,
  htpasswd?: string,
): Promise<DistributionServer> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const auth =
    htpasswd === undefined ? {} : { auth: { htpasswd: { realm: "distribution", path: htpasswd } } };
  const config = await writeConfig(lab, storage, host, auth);
  const background = await lab.processes.start([...command, "serve", config], {
    ready: () =>
      fetch(`http://${host}/v2/`).then(
        ({ status }) => status === (htpasswd === undefined ? 200 : 401),
        () => false,
      ),
  });
  return { ...background, host };
}

/** Runs distribution's own garbage collection, while its server is stopped. @returns its output. */
export async function collectGarbage(lab: DistributionLab, storage: Storage): Promise<string> {
  const config = await writeConfig(lab, storage, "127.0.0.1:0");
  return lab.processes.run([...command, "garbage-collect", config]);
}

async function writeConfig(
  { dir }: DistributionLab,
  storage: Storage,
  address: string,
  auth: object = {},
): Promise<string> {
  const config = {
    ...auth,
    version: 0.1,
    log: { level: "warn" },
    storage: { ...storage, delete: { enabled: true }, redirect: { disable: true } },
    http: { addr: address },
    validation: { manifests: { urls: { allow: ["^https://layers\\.example/"] } } },
  };
  // JSON is YAML.
  const path = join(dir, "distribution.yml");
  await writeFile(path, JSON.stringify(config));
  return path;
}
