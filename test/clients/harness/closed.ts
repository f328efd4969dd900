import { join } from "node:path";
import { makeAccount, makeTokenKey } from "../../../scripts/commands/key.ts";
import { issuersWith, jobClaims } from "../../operations/workflow.ts";
import { startIdentityIssuer } from "../../support/identity-issuer.ts";
import type { Processes } from "./processes.ts";
import { type Server, startServer } from "./server.ts";

/**
 * A Skerry that is closed to all but one account, which may push to `team/` and nowhere else, and jobs of CI, which
 * may push to `acme/app`.
 */
export interface ClosedServer extends Server {
  readonly name: string;
  readonly key: string;
  /** Variables of a job that may ask for its identity token. */
  readonly job: Readonly<Record<string, string>>;
}

/** Starts it on a free port with its state in `dir`. */
export async function startClosedServer(processes: Processes, dir: string): Promise<ClosedServer> {
  const name = "ci";
  const { key, entry } = await makeAccount(name, { "team/*": "pull,push" }, false);
  const issuer = await startIdentityIssuer(() => jobClaims);
  const vars = {
    ANONYMOUS: "none",
    ACCOUNTS: `[${entry}]`,
    TOKEN_KEY: await makeTokenKey(),
    IDENTITY_ISSUERS: issuersWith(issuer.jwks),
  };
  const server = await startServer(processes, join(dir, "closed"), vars);
  const stop = async () => {
    await server.stop();
    await issuer.close();
  };
  return { ...server, stop, name, key, job: issuer.env };
}
