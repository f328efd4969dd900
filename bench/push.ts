import { createHash, randomFillSync } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { startLocalRegistry } from "../scripts/local-registry.ts";
import { LayoutWriter } from "../test/clients/fixtures/layout.ts";
import { startProxy } from "../test/clients/harness/proxy.ts";
import { RegistryProbe } from "../test/clients/harness/registry.ts";
import { type CliOutcome, startCli } from "../test/push/cli.ts";

// npm run bench:push [-- --size BYTES]
// Pushes an image with `skerry push` through a proxy that refuses request bodies over 100 MB, as Cloudflare's edge does
// on its Free and Pro plans, and kills the push three times on the way.

const { values } = parseArgs({ options: { size: { type: "string", default: "3000000000" } } });
const size = Number(values.size);
const bodyLimit = 100_000_000;
/** Parts of the image's bytes after which a run is killed. */
const kills = [0.25, 0.5, 0.75];
/** Parts of the image's bytes that its layers have. */
const layerShares = [0.7, 0.2, 0.1];

const dir = await mkdtemp(join(tmpdir(), "skerry-bench-"));
const registry = await startLocalRegistry({ persistTo: join(dir, "state") });
try {
  await run();
} finally {
  await registry.stop();
  await rm(dir, { recursive: true });
}

async function run(): Promise<void> {
  const digest = await writeImage(join(dir, "layout"));
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

/** Random layers, written piece by piece: they are not looked into, and no tar. @returns the manifest's digest. */
async function writeImage(folder: string): Promise<string> {
  const writer = await LayoutWriter.create(folder);
  const blobs = join(folder, "blobs", "sha256");
  const layers = [];
  for (const share of layerShares) layers.push(await writeLayer(blobs, Math.round(share * size)));
  const image = await writer.image({ os: "linux", architecture: "amd64" }, layers);
  await writer.finish(image.manifest, "v1");
  return image.manifest.digest;
}

async function writeLayer(blobs: string, bytes: number) {
  const hash = createHash("sha256");
  const draft = join(blobs, "draft");
  await pipeline(async function* () {
    const piece = Buffer.alloc(1_000_000);
    for (let left = bytes; left > 0; left -= piece.length) {
      randomFillSync(piece);
      const part = Buffer.from(piece.subarray(0, Math.min(left, piece.length)));
      hash.update(part);
      yield part;
    }
  }, createWriteStream(draft));
  const hex = hash.digest("hex");
  await rename(draft, join(blobs, hex));
  const digest = `sha256:${hex}`;
  return { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: bytes, diffId: digest };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
