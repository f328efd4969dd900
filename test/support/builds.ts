import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A directory of this run for what its files build: see built-worker.ts. */
    readonly builds: string;
  }
}

let builds: string;

export async function setup(project: TestProject): Promise<void> {
  builds = await mkdtemp(join(tmpdir(), "skerry-builds-"));
  project.provide("builds", builds);
}

export async function teardown(): Promise<void> {
  await rm(builds, { recursive: true });
}
