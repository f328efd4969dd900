import assert from "node:assert/strict";
import { join } from "node:path";
import type { Client, Lab } from "./harness/client.ts";

/** Keys of this run, no transparency log, no signing service: nothing leaves the machine. */
const signing = ["--yes", "--use-signing-config=false", "--tlog-upload=false", "--allow-http-registry"];
const verification = ["--insecure-ignore-tlog=true", "--allow-http-registry"];

export async function openCosign(
  { processes, registry, fixtures, dir }: Lab,
  program: string,
): Promise<Client> {
  const cosign = (...args: readonly string[]) =>
    processes.run([program, ...args], { cwd: dir, env: { COSIGN_PASSWORD: "check", HOME: dir } });

  return {
    checks: {
      sign: async () => {
        const repository = "cosign/signed";
        const target = `docker://${registry.reference(repository, "v1")}`;
        const source = `oci:${fixtures.busybox.layout}:v1`;
        await processes.run(["skopeo", "copy", "--dest-tls-verify=false", source, target]);
        const image = registry.reference(repository, fixtures.busybox.digest);
        await cosign("generate-key-pair");
        await cosign("sign", ...signing, "--key", "cosign.key", image);
        const said = JSON.parse(await cosign("verify", ...verification, "--key", "cosign.pub", image));
        assert.equal(said[0].critical.image["docker-manifest-digest"], fixtures.busybox.digest);
        await cosign("generate-key-pair", "--output-key-prefix", "other");
        const wrong = cosign("verify", ...verification, "--key", join(dir, "other.pub"), image);
        await assert.rejects(wrong, /failed to verify signature/);
        assert.equal((await registry.referrers(repository, fixtures.busybox.digest)).length, 1);
      },
    },
  };
}
