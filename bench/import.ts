import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connect } from "../scripts/push/connect.ts";
import { lineDisplay } from "../scripts/push/progress.ts";
import { type ImportStatus, Imports } from "../scripts/push/registry/imports.ts";
import { parseImageReference } from "../scripts/push/registry/reference.ts";
import { freePort } from "../test/clients/harness/free-port.ts";
import { Processes } from "../test/clients/harness/processes.ts";
import { type RegistryProxy, startProxy } from "../test/clients/harness/proxy.ts";
import { RegistryProbe } from "../test/clients/harness/registry.ts";
import { type Server, startServer } from "../test/clients/harness/server.ts";
import { startCli } from "../test/push/cli.ts";
import { entryOf, variablesOf } from "../test/upstream/edge-entry.ts";
import { layerShares, writeBigImage } from "./support/big-image.ts";
import { resident } from "./support/resident.ts";
import { startDistribution } from "./support/servers.ts";
import { UpstreamWatch } from "./support/upstream-watch.ts";

// npm run bench:import [-- --size BYTES]
// Has Skerry fetch an image from Debian's docker-registry, kills Skerry three times on the way, and counts what was
// fetched. Skerry is behind a proxy that refuses request bodies over 100 MB, as Cloudflare's edge does.

const { values } = parseArgs({ options: { size: { type: "string", default: "3000000000" } } });
const size = Number(values.size);
const bodyLimit = 100_000_000;
/** Parts of the image's bytes after which Skerry is killed. */
const kills = [0.25, 0.5, 0.75];
/** Milliseconds: a step that has worked lasts longer than one that has found another at work. */
const working = 1000;
const prefix = "upstream.example";

const dir = await mkdtemp(join(tmpdir(), "skerry-bench-"));
const processes = new Processes(new AbortController().signal);
const ends: (() => Promise<unknown>)[] = [];
try {
  await run();
} finally {
  for (const end of ends.reverse()) await end();
  await rm(dir, { recursive: true });
}

async function run(): Promise<void> {
  const digest = await writeBigImage(join(dir, "layout"), size);
  const distribution = await startDistribution(processes, dir);
  ends.push(() => distribution.stop());
  const there = new URL(distribution.origin).host;
  const pushed = await startCli(["push", join(dir, "layout"), `${there}/team/big:1`], dir).ended;
  if (pushed.status !== 0) throw new Error(pushed.stderr);
  await rm(join(dir, "layout"), { recursive: true });

  const watch = new UpstreamWatch();
  let onProgress = () => {};
  const upstream: RegistryProxy = await startProxy(there, {
    onProgress(progress) {
      watch.take(progress, upstream);
      onProgress();
    },
  });
  ends.push(() => upstream.close());
  const port = await freePort();
  const vars = variablesOf({ upstreams: [entryOf(prefix, { url: `http://${upstream.host}` })] });
  const start = () => startServer(processes, join(dir, "state"), vars, port);
  let skerry: Server = await start();
  ends.push(() => skerry.stop());
  const front = await startProxy(`127.0.0.1:${port}`, { maxBody: bodyLimit });
  ends.push(() => front.close());

  let peak = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      // There is none while it is started again.
      peak = Math.max(peak, await resident(skerry.pid).catch(() => 0));
      await pause(100);
    }
  })();

  const started = performance.now();
  const left = [...kills];
  let restarting: Promise<void> | undefined;
  onProgress = () => {
    if (restarting !== undefined || watch.received <= (left[0] ?? 1) * size || left.length === 0) return;
    left.shift();
    restarting = (async () => {
      console.log(`killed after ${seconds(started)}, ${megabytes(watch.received)} fetched`);
      await skerry.kill();
      skerry = await start();
      restarting = undefined;
    })();
  };
  const { steps, waited } = await drive(front.host);
  watch.end();
  const took = seconds(started);
  await restarting;
  isOver = true;
  await watching;
  if (left.length > 0) throw new Error(`${left.length} of the kills never came`);

  await new RegistryProbe(front.host).verify("bench/big", "1", digest);
  const { received, gaps } = watch;
  console.log(`image: ${megabytes(size)} in ${layerShares.length} layers; it has come with its digests`);
  console.log(
    `time, with ${kills.length} kills: ${took}; ${(waited / 1000).toFixed(0)} s of it waiting as told`,
  );
  console.log(
    `fetched: ${megabytes(received)}, ${((received / size - 1) * 100).toFixed(1)} % more than the image`,
  );
  console.log(`requests to the upstream: ${upstream.exchanges.length}`);
  const sent = front.exchanges.reduce((sum, exchange) => sum + exchange.sent, 0);
  console.log(`steps: ${steps}; bytes of the bodies of all requests to Skerry: ${sent}`);
  const shares = layerShares.map((share) => megabytes(share * size));
  console.log(
    `commits of ${shares.join(", ")}, and the steps' ends: ${gaps.map((gap) => `${(gap / 1000).toFixed(1)} s`).join(", ")}`,
  );
  console.log(`memory of workerd, the simulators of R2 and KV in it: ${peak.toFixed(0)} MiB at most`);
}

/** Drives the import as `skerry copy --import` does. @returns steps that did something, and milliseconds of waiting. */
async function drive(host: string): Promise<{ readonly steps: number; readonly waited: number }> {
  const target = parseImageReference(`${host}/bench/big:1`);
  const imports = new Imports(connect(target, true, lineDisplay(console.log)), target.name);
  const wanted = { repository: `${prefix}/team/big`, reference: "1", tags: ["1"], referrers: false };
  let status: ImportStatus = await imports.begin(wanted);
  let steps = 0;
  let waited = 0;
  while (status.state === "open") {
    await pause(status.wait);
    waited += status.wait;
    const began = performance.now();
    status = await imports.step(status.location);
    if (performance.now() - began > working) steps++;
  }
  if (status.state !== "done") throw new Error(`the import ${status.state}: ${status.error?.message}`);
  return { steps, waited };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
