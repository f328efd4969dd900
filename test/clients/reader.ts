import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { blocksOf } from "../docs/pages.ts";
import { readWorkflow, scriptsOf } from "../operations/workflow.ts";
import { type Lab, Skip } from "./harness/client.ts";
import { dockerCommand } from "./harness/dockerd.ts";

/** Runs a script as a reader of it would; `docker` is that of the lab. */
export type Shell = (script: string, env?: Readonly<Record<string, string>>) => Promise<string>;

/** A bash, as GitHub's runner calls it, in a folder with a Dockerfile. */
export async function openShell(lab: Lab): Promise<Shell> {
  const bin = join(lab.dir, "bin");
  const cwd = join(lab.dir, "checkout");
  for (const folder of [bin, cwd]) await mkdir(folder);
  const quoted = dockerCommand(lab).map((word) => `'${word}'`);
  await writeFile(join(bin, "docker"), `#!/bin/sh\nexec ${quoted.join(" ")} "$@"\n`, { mode: 0o755 });
  await writeFile(join(cwd, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const PATH = `${bin}${delimiter}${process.env.PATH}`;
  return (script, env = {}) => {
    const command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script];
    return lab.processes.run(command, { cwd, env: { ...env, PATH }, timeout: 120 });
  };
}

/**
 * Runs the scripts of examples/github-actions.yml as they are, in the place of a job of GitHub Actions, against the
 * closed registry, and looks for the image with the job's own token.
 */
export async function checkWorkflow({ closed }: Lab, shell: Shell): Promise<void> {
  if (closed === undefined) throw new Skip("the registry under test cannot be closed from here");
  const env = {
    ...closed.job,
    REGISTRY: closed.host,
    GITHUB_REPOSITORY: "Acme/App",
    GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
  };
  let told = "";
  for (const script of scriptsOf(readWorkflow()).values()) told += await shell(script, env);
  const [, token = ""] = /^::add-mask::(.+)$/m.exec(told) ?? [];
  const authorization = `Basic ${Buffer.from(`oidc:${token}`).toString("base64")}`;
  const pushed = await fetch(`http://${closed.host}/v2/acme/app/manifests/0123456789ab`, {
    headers: { Authorization: authorization, Accept: "application/vnd.docker.distribution.manifest.v2+json" },
  });
  assert.equal(pushed.status, 200, await pushed.text());
}

/**
 * Runs what the README says of pushing and pulling, at the registry of the lab; but `busybox` must be there already,
 * since Docker Hub may be out of reach.
 */
export async function checkReadme({ registry }: Lab, shell: Shell): Promise<void> {
  const block = blocksOf("README.md").find(({ text }) => text.startsWith("docker pull busybox\n"));
  assert.ok(block, "the README does not begin with docker pull busybox any more");
  const script = block.text.replace("docker pull busybox\n", "").replaceAll("localhost:8787", registry.host);
  assert.match(await shell(script), /\{"name":"demo\/busybox","tags":\["1"\]\}\s*$/);
}
