import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client, Lab } from "./harness/client.ts";
import { checkLogin } from "./login.ts";

const plain = "--plain-http";
const version = "0.1.0";

export async function openHelm(lab: Lab, program: string): Promise<Client> {
  const { processes, registry, dir } = lab;
  const env = {
    HELM_CACHE_HOME: join(dir, "cache"),
    HELM_CONFIG_HOME: join(dir, "config"),
    HELM_DATA_HOME: join(dir, "data"),
  };
  const helm = (...args: readonly string[]) => processes.run([program, ...args], { cwd: dir, env });
  const chart = `oci://${registry.host}/helm/demo`;

  return {
    checks: {
      chart: async () => {
        await helm("create", "demo");
        await helm("package", "demo");
        await helm("push", plain, `demo-${version}.tgz`, `oci://${registry.host}/helm`);
        await registry.verify("helm/demo", version);
        assert.match(await helm("show", "chart", plain, chart), /^version: 0\.1\.0$/m);
        await mkdir(join(dir, "pulled"));
        await helm("pull", plain, "--version", version, "--destination", "pulled", chart);
        const [pushed, pulled] = await Promise.all([
          readFile(join(dir, `demo-${version}.tgz`)),
          readFile(join(dir, "pulled", `demo-${version}.tgz`)),
        ]);
        assert.ok(pushed.equals(pulled), "the chart came back with other bytes");
      },
      login: async () => {
        // helm names the repository after the chart, and the tag after its version.
        await helm("create", "helm");
        await helm("package", "helm", "--version", "0.0.1");
        const parent = (reference: string) => `oci://${reference.slice(0, reference.lastIndexOf("/"))}`;
        await checkLogin(
          lab,
          "helm",
          {
            login: (host, name, key) =>
              helm("registry", "login", plain, "--username", name, "--password", key, host),
            push: (reference) => helm("push", plain, "helm-0.0.1.tgz", parent(reference)),
            pull: (reference) => helm("pull", plain, "--version", "0.0.1", `${parent(reference)}/helm`),
          },
          "0.0.1",
        );
      },
    },
  };
}
