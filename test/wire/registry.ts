import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type LocalRegistry, startLocalRegistry } from "../../scripts/local-registry.ts";
import { builtWorker } from "./built-worker.ts";

/** Variables of a registry, by name. */
export type Variables = Readonly<Record<string, string>>;

/**
 * Runs one registry with an empty store for all tests of a file; its variables may have to be made first.
 * @param onLog gets what it logs, instead of the terminal.
 */
export function useRegistry(
  vars: Variables | (() => Promise<Variables>) = {},
  onLog?: (message: string) => void,
): () => LocalRegistry {
  let registry: LocalRegistry | undefined;
  let persistTo: string | undefined;
  beforeAll(async () => {
    persistTo = await mkdtemp(join(tmpdir(), "skerry-wire-"));
    registry = await startLocalRegistry({
      persistTo,
      built: await builtWorker(),
      vars: typeof vars === "function" ? await vars() : vars,
      onLog,
    });
  });
  afterAll(async () => {
    await registry?.stop();
    if (persistTo !== undefined) await rm(persistTo, { recursive: true });
  });
  return () => {
    if (registry === undefined) throw new Error("the registry has not been started yet");
    return registry;
  };
}
