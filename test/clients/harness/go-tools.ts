import { access, mkdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Processes } from "./processes.ts";

/** A client that is built from a pinned module of the Go module proxy. */
export interface GoTool {
  /** The import path of its main package. */
  readonly package: string;
  readonly version: string;
}

const buildSeconds = 300;

/**
 * The path of the built tool, `name-version` in a cache folder outside the repository; built only if it is not there.
 * @throws CommandError when the module is not served or does not build within five minutes.
 */
export async function goTool(processes: Processes, tool: GoTool): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const dir = join(cache, "skerry-clients");
  const name = tool.package.slice(tool.package.lastIndexOf("/") + 1);
  const program = join(dir, `${name}-${tool.version}`);
  const exists = await access(program).then(
    () => true,
    () => false,
  );
  if (exists) return program;
  await mkdir(dir, { recursive: true });
  await processes.run(["go", "install", "-ldflags=-s -w", `${tool.package}@${tool.version}`], {
    timeout: buildSeconds,
    env: { GOBIN: dir, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" },
  });
  await rename(join(dir, name), program);
  return program;
}
