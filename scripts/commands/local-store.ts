import { dirname, join, resolve } from "node:path";
import { getPlatformProxy } from "wrangler";
import { type Env, readConfig } from "../../src/config.ts";
import { createRegistry } from "../../src/registry.ts";
import type { Store } from "../../src/storage/store.ts";
import { projectRoot } from "../build-worker.ts";

/** The options of commands that work on the bucket itself, as parseArgs takes them. */
export const storeOptions = {
  "persist-to": { type: "string" },
  config: { type: "string" },
} as const;

/** Their values. */
export interface StoreOptions {
  readonly "persist-to"?: string | undefined;
  readonly config?: string | undefined;
}

/** What `--help` says of them. */
export const storeUsage = `    --persist-to DIR        the local bucket's state (.wrangler/state); its registry must not run meanwhile
    --config FILE           another wrangler.toml; with \`remote = true\` at its bucket, the deployed one`;

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds)),
};

/**
 * Calls `use` with the store of the bucket that wrangler.toml names: the local one, where `npm start` keeps it, or
 * the deployed one if the binding says `remote = true`.
 */
export async function withStore<Result>(
  options: StoreOptions,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  const configPath = resolve(options.config ?? join(projectRoot, "wrangler.toml"));
  const state = resolve(options["persist-to"] ?? join(dirname(configPath), ".wrangler/state"));
  const proxy = await getPlatformProxy<Env>({ configPath, persist: { path: join(state, "v3") } });
  try {
    const { env } = proxy;
    const platform = { bucket: env.BUCKET, kv: env.TAGS, clock };
    return await use(createRegistry(readConfig(env), platform).store);
  } finally {
    await proxy.dispose();
  }
}
