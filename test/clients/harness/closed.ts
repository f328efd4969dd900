import { join } from "node:path";
import { makeAccount, makeTokenKey } from "../../../scripts/commands/key.ts";
import type { Processes } from "./processes.ts";
import { type Server, startServer } from "./server.ts";

/** A Skerry that is closed to all but one account, which may push to `team/` and nowhere else. */
export interface ClosedServer extends Server {
  readonly name: string;
  readonly key: string;
}

/** Starts it on a free port with its state in `dir`. */
export async function startClosedServer(processes: Processes, dir: string): Promise<ClosedServer> {
  const name = "ci";
  const { key, entry } = await makeAccount(name, { "team/*": "pull,push" }, false);
  const vars = { ANONYMOUS: "none", ACCOUNTS: `[${entry}]`, TOKEN_KEY: await makeTokenKey() };
  return { ...(await startServer(processes, join(dir, "closed"), vars)), name, key };
}
