import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export const projectRoot = join(import.meta.dirname, "..");

/**
 * Bundles the Worker into `directory` exactly as `wrangler deploy` would upload it, without the network.
 * `config` is the wrangler.toml to build from.
 * @returns what wrangler says.
 * @throws Error with the output of wrangler if the build fails.
 */
export async function buildWorker(directory: string, config: string): Promise<string> {
  const wrangler = join(projectRoot, "node_modules/wrangler/bin/wrangler.js");
  const args = [wrangler, "deploy", "--dry-run", "--outdir", directory, "--config", config];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, "close");
  const said = (await output).join("\n");
  if (code !== 0) throw new Error(`the Worker does not build:\n${said}`);
  return said;
}
