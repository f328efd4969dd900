import { afterAll } from "vitest";
import type { LocalRegistry } from "../../scripts/local-registry.ts";
import { useRegistry } from "../wire/registry.ts";
import { type EdgeSetup, variablesOf } from "./edge-entry.ts";
import type { FaultProxy } from "./fault-proxy.ts";

/** Runs Skerry on workerd before upstreams for all tests of a file, and ends the proxies after them. */
export function useEdge(
  proxies: () => readonly FaultProxy[],
  setup: () => Promise<EdgeSetup>,
): () => LocalRegistry {
  // Hooks of the kind run in reverse: the proxies end after the registry has.
  afterAll(async () => {
    for (const proxy of proxies()) await proxy.kill();
  });
  return useRegistry(async () => variablesOf(await setup()));
}
