import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mebibyte } from "../../clients/fixtures/images.ts";
import { RegistryProbe } from "../../clients/harness/registry.ts";
import { startCli } from "../../push/cli.ts";
import { type EdgeSetup, entryOf } from "../edge-entry.ts";
import type { Fault, SeenRequest } from "../fault-proxy.ts";
import { account, closedTo, pushTo, startEdge, startUpstream, type World } from "./world.ts";

const prefix = "source.example";
/** Ranges that a step fetches at once. */
const atOnce = 3;

/** Images with a layer that takes several ranges, imported from docker-registry while Skerry is killed. */
export async function imports(world: World): Promise<void> {
  await importFrom(world, "open", undefined);
  await importFrom(world, "closed", await closedTo(world));
}

async function importFrom(world: World, kind: "open" | "closed", htpasswd: string | undefined) {
  const { checks, fixtures, processes } = world;
  const name = `import-${kind}`;
  const upstream = await startUpstream(world, name, htpasswd);
  const { proxy } = upstream;
  const setup: EdgeSetup = {
    upstreams: [entryOf(prefix, proxy)],
    ...(htpasswd !== undefined && { credentials: { [prefix]: account } }),
  };
  const credentials = htpasswd === undefined ? [] : [`--dest-creds=${account.username}:${account.password}`];
  await pushTo(world, upstream, "team/big:v1", fixtures.big, ...credentials);

  await checks.check(
    `import, ${kind}: Skerry is killed in the middle of a layer, and goes on; a client pulls it without the upstream`,
    async () => {
      const edge = await startEdge(world, name, setup);
      const { promise: isKilled, resolve: killed } = Promise.withResolvers<void>();
      proxy.fault = atRange(3, async () => {
        await edge.kill();
        killed();
      });
      const home = join(world.dir, `${name}-home`);
      await mkdir(home);
      const target = `${edge.host}/own/big:v1`;
      const run = startCli(["copy", "--import", `${prefix}/team/big:v1`, target], home);
      assert.equal(await Promise.race([isKilled, run.ended]), undefined, "it ended before Skerry was killed");
      await startEdge(world, name, setup, Number(edge.host.split(":")[1]));
      const { status, stdout, stderr } = await run.ended;
      assert.deepEqual([status, stdout], [0, `${target}@${fixtures.big.digest}\n`], stderr);

      // One that was started again has to learn first that it must log in.
      const isIn = ({ authorization }: SeenRequest["headers"]) =>
        kind === "open" || authorization !== undefined;
      const ranges = proxy.seen.flatMap(({ headers }) => (isIn(headers) ? (headers.range ?? []) : []));
      const first = `bytes=0-${32 * mebibyte - 1}`;
      assert.equal(ranges.filter((range) => range === first).length, 1);
      const again = ranges.length - new Set(ranges).size;
      assert.ok(again > 0 && again <= atOnce, `${again} ranges were asked for again`);

      await upstream.stop();
      const from = `docker://${target}`;
      const to = `oci:${join(world.dir, `${name}-pulled`)}:v1`;
      await processes.run(["skopeo", "copy", "--src-tls-verify=false", from, to]);
      await new RegistryProbe(edge.host).verify("own/big", "v1", fixtures.big.digest);
    },
  );
}

/** Passes requests on, but for the one for a range that has this number: then something happens instead. */
function atRange(number: number, instead: () => Promise<void>): Fault {
  let ranges = 0;
  return async ({ request, outgoing, pass }) => {
    if (request.headers.range === undefined || ++ranges !== number) return pass();
    outgoing.destroy();
    await instead();
  };
}
