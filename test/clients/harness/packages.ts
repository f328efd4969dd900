import type { Processes } from "./processes.ts";

const installSeconds = 240;

/**
 * Installs those of the Debian packages that are missing.
 * @returns the packages that are missing afterwards, with the reason.
 */
export async function installPackages(
  processes: Processes,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const before = await missing(processes, wanted);
  if (before.length === 0) return new Map();
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  let reason = "not installed";
  try {
    await processes.run(["apt-get", "update", "-qq"], { timeout: installSeconds, env });
    const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...before];
    await processes.run(install, { timeout: installSeconds, env });
  } catch (error) {
    reason = String(error);
  }
  return new Map((await missing(processes, wanted)).map((name) => [name, reason]));
}

async function missing(processes: Processes, wanted: readonly string[]): Promise<readonly string[]> {
  const absent: string[] = [];
  for (const name of wanted) {
    const status = await processes.run(["dpkg-query", "--status", name]).catch(() => "unknown");
    if (!status.includes("Status: install ok installed")) absent.push(name);
  }
  return absent;
}
