import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startLocalRegistry } from "../scripts/local-registry.ts";
import { startProxy } from "../test/clients/harness/proxy.ts";
import { RegistryProbe } from "../test/clients/harness/registry.ts";
import { type CliOutcome, startCli } from "../test/push/cli.ts";
import { layerShares, writeBigImage } from "./support/big-image.ts";

// npm run bench:push [-- --size BYTES]
// Pushes an image with `skerry push` through a proxy that refuses request bodies over 100 MB, as Cloudflare's edge does
// on its Free and Pro plans, and kills the push three times on the way.

const { values } = parseArgs({ options: { size: { type: "string", default: "3000000000" } } });
const size = Number(values.size);
const bodyLimit = 100_000_000;
/** Parts of the image's bytes after which a run is killed. */
const kills = [0.25, 0.5, 0.75];

const dir = await mkdtemp(join(tmpdir(), "skerry-bench-"));
const registry = await startLocalRegistry({ persistTo: join(dir, "state") });
try {
  await run();
} finally {
  await registry.stop();
  await rm(dir, { recursive: true });
}

async function run(): Promise<void> {
  const digest = await writeBigImage(join(dir, "layout"), size);
  let sent = 0;
  let onProgress = () => {};
  const proxy = await startProxy(`127.0.0.1:${registry.port}`, {
    maxBody: bodyLimit,
    onProgress(progress) {
      sent = progress.sent;
      onProgress();
    },
  });
  const args = ["push", join(dir, "layout"), `${proxy.host}/bench/big:1`];
  const started = performance.now();
  let peak = 0;
  let outcome: CliOutcome | undefined;
  for (const share of [...kills, undefined]) {
    const push = startCli(args, dir);
    onProgress = () => {
      if (share !== undefined && sent > share * size) push.kill();
    };
    outcome = await push.ended;
    peak = Math.max(peak, outcome.peak);
    const how = outcome.status === null ? "killed" : `exit status ${outcome.status}`;
    console.log(
      `${how} after ${seconds(started)}, ${megabytes(sent)} sent, ${outcome.peak.toFixed(0)} MiB resident`,
    );
    if (outcome.status !== null) break;
  }
  await proxy.close();
  if (outcome?.status !== 0) throw new Error(`the push failed:\n${outcome?.stderr}`);
  const took = seconds(started);
  await new RegistryProbe(`127.0.0.1:${registry.port}`).verify("bench/big", "1", digest);
  const refused = proxy.exchanges.filter(({ status }) => status === 413).length;
  const largest = Math.max(...proxy.exchanges.map((exchange) => exchange.sent));
  console.log(
    `image: ${megabytes(size)} in ${layerShares.length} layers; pulled back with the digests that it had`,
  );
  console.log(`time, with ${kills.length} kills: ${took}; commits included`);
  console.log(`sent: ${megabytes(sent)}, ${((sent / size - 1) * 100).toFixed(1)} % more than the image`);
  console.log(
    `requests: ${proxy.exchanges.length}, the largest body ${megabytes(largest)}, ${refused} refused`,
  );
  console.log(`memory of the command: ${peak.toFixed(0)} MiB at most`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
