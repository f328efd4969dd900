import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startProxy } from "../clients/harness/proxy.ts";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { startCli } from "../push/cli.ts";
import { startDistribution, treeBelow } from "./distribution.ts";
import type { World } from "./world.ts";

/** Bytes of a chunk: distribution announces none. */
const chunk = 5_000_000;
const killAfter = 12_000_000;

/** `skerry push` and `skerry copy` with distribution as the registry. */
export async function pushCommand(world: World): Promise<void> {
  const { checks, fixtures } = world;
  const folder = join(world.dir, "push-command");
  await mkdir(folder);
  const server = await startDistribution(world, treeBelow(join(folder, "tree")));
  const probe = new RegistryProbe(server.host);
  const { layout, digest } = fixtures.twelveLayers;
  try {
    await checks.check("skerry push to distribution, killed on the way", async () => {
      let onProgress = () => {};
      let sent = 0;
      const proxy = await startProxy(server.host, {
        onProgress(progress) {
          sent = progress.sent;
          onProgress();
        },
      });
      const args = ["push", layout, `${proxy.host}/command/pushed:1`, `--chunk-size=${chunk}`];
      try {
        const killed = startCli(args, folder);
        onProgress = () => {
          if (sent > killAfter) killed.kill();
        };
        assert.equal((await killed.ended).status, null);
        onProgress = () => {};
        const { status, stderr } = await startCli(args, folder).ended;
        assert.equal(status, 0, stderr);
      } finally {
        await proxy.close();
      }
      await probe.verify("command/pushed", "1", digest);
    });
    await checks.check("skerry push of an index to distribution", async () => {
      await run(["push", fixtures.index.layout, `${server.host}/command/index:1`], folder);
      await probe.verify("command/index", "1", fixtures.index.digest);
    });
    await checks.check("skerry copy within distribution mounts", async () => {
      await run(["copy", `${server.host}/command/pushed:1`, `${server.host}/command/copied:1`], folder);
      await probe.verify("command/copied", "1", digest);
    });
  } finally {
    await server.stop();
  }
}

async function run(args: readonly string[], home: string): Promise<void> {
  const { status, stderr } = await startCli(args, home).ended;
  assert.equal(status, 0, stderr);
}
