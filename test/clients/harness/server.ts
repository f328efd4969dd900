import { join } from "node:path";
import { freePort } from "./free-port.ts";
import type { Background, Processes } from "./processes.ts";

/** Skerry on workerd, as `npm start` runs it. */
export interface Server extends Background {
  /** `host:port` */
  readonly host: string;
}

const root = join(import.meta.dirname, "..", "..", "..");

/** Starts Skerry with its state in `dir` and with these variables, on a free port unless one is given. */
export async function startServer(
  processes: Processes,
  dir: string,
  vars: Readonly<Record<string, string>> = {},
  port?: number,
): Promise<Server> {
  const listening = port ?? (await freePort());
  const command = [
    process.execPath,
    join(root, "scripts", "start.ts"),
    "--port",
    String(listening),
    "--persist-to",
    dir,
    ...Object.entries(vars).map(([name, value]) => `--var=${name}:${value}`),
  ];
  const background = await processes.start(command, {
    cwd: root,
    ready: (output) => output.includes(`:${listening}`),
    timeout: 120,
  });
  return { ...background, host: `127.0.0.1:${listening}` };
}
