import { existsSync } from "node:fs";
import { mkdtemp, rename } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { buildWorker, projectRoot } from "../../scripts/build-worker.ts";
import type {} from "../support/builds.ts";

/**
 * The directory of the Worker as the project's wrangler.toml builds it. The first file of a run that wants it builds
 * it; of two that come at once both do, and one build is kept.
 * @throws Error with the output of wrangler if the build fails.
 */
export async function builtWorker(): Promise<string> {
  const built = join(inject("builds"), "worker");
  if (existsSync(built)) return built;
  const own = await mkdtemp(`${built}-`);
  await buildWorker(own, join(projectRoot, "wrangler.toml"));
  // Fails where the other one was faster: a directory that holds something is not replaced.
  await rename(own, built).catch((error) => {
    if (!existsSync(built)) throw error;
  });
  return built;
}
