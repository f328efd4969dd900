import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { readWorkflow, scriptsOf } from "../operations/workflow.ts";
import { type Lab, Skip } from "./harness/client.ts";
import { dockerCommand } from "./harness/dockerd.ts";

/**
 * Runs the scripts of examples/github-actions.yml as they are, in the place of a job of GitHub Actions, against the
 * closed registry, and looks for the image with the job's own token.
 */
export async function checkWorkflow(lab: Lab): Promise<void> {
  const { closed, dir, processes } = lab;
  if (closed === undefined) throw new Skip("the registry under test cannot be closed from here");
  const bin = join(dir, "bin");
  const checkout = join(dir, "checkout");
  for (const folder of [bin, checkout]) await mkdir(folder);
  const quoted = dockerCommand(lab).map((word) => `'${word}'`);
  await writeFile(join(bin, "docker"), `#!/bin/sh\nexec ${quoted.join(" ")} "$@"\n`, { mode: 0o755 });
  await writeFile(join(checkout, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const env = {
    ...closed.job,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    REGISTRY: closed.host,
    GITHUB_REPOSITORY: "Acme/App",
    GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
  };
  let told = "";
  for (const script of scriptsOf(readWorkflow()).values()) {
    // As GitHub's runner calls bash.
    const command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script];
    told += await processes.run(command, { cwd: checkout, env, timeout: 120 });
  }
  const [, token = ""] = /^::add-mask::(.+)$/m.exec(told) ?? [];
  const authorization = `Basic ${Buffer.from(`oidc:${token}`).toString("base64")}`;
  const pushed = await fetch(`http://${closed.host}/v2/acme/app/manifests/0123456789ab`, {
    headers: { Authorization: authorization, Accept: "application/vnd.docker.distribution.manifest.v2+json" },
  });
  assert.equal(pushed.status, 200, await pushed.text());
}
