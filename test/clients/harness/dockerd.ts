import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "./client.ts";
import { writeDocumented } from "./mirror.ts";

/** Runs a command of the docker client against the started daemon; returns its standard output. */
export type Docker = (...args: readonly string[]) => Promise<string>;

/** The docker client of a lab and the options that lead it to the lab's daemon. */
export function dockerCommand({ dir }: Lab): readonly string[] {
  // Debian's own client: another one may stand before it in the PATH.
  return ["/usr/bin/docker", "--config", join(dir, "config"), "--host", `unix://${join(dir, "docker.sock")}`];
}

/** Starts a docker daemon that shares nothing with one that may run here already, and has no network of its own. */
export async function startDockerd(lab: Lab): Promise<Docker> {
  const { processes, dir, cleanup, mirror } = lab;
  const client = dockerCommand(lab);
  const docker: Docker = (...args) => {
    return processes.run([...client, ...args], { timeout: 120, env: { DOCKER_BUILDKIT: "1" } });
  };
  const config = join(dir, "daemon.json");
  await writeFile(config, "{}");
  const command = [
    "dockerd",
    `--config-file=${mirror === undefined ? config : await writeDocumented(mirror, "docker", dir)}`,
    `--host=${client.at(-1)}`,
    `--data-root=${join(dir, "data")}`,
    `--exec-root=${join(dir, "exec")}`,
    `--pidfile=${join(dir, "dockerd.pid")}`,
    "--storage-driver=overlay2",
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--ip-masq=false",
  ];
  const daemon = await processes.start(command, {
    isolated: true,
    ready: (output) => output.includes("API listen on"),
  });
  cleanup.add(() => daemon.stop());
  return docker;
}
