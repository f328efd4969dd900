import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client, Lab } from "./harness/client.ts";

const plain = "--plain-http";
const version = "0.1.0";

export async function openHelm({ processes, registry, dir }: Lab, program: string): Promise<Client> {
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
    },
  };
}
