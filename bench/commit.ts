import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { startLocalRegistry } from "../scripts/local-registry.ts";
import { freePort } from "../test/clients/harness/free-port.ts";
import { median } from "./support/statistics.ts";
import { cpuSeconds } from "./support/usage.ts";
import { agent, digestOf, expectSent, generatedBody } from "./transfer.ts";

// npm run bench:commit
// What docs/performance.md tells of a commit that copies inside R2 instead of putting all bytes once more: a PATCH
// that hashes on the way, and then CopyObject, beside a PATCH that does not, and then a put under R2's check.

const sizes = [1, 10, 95, 300].map((megabytes) => megabytes * 1_000_000);
const runs = 5;
const credentials = { accessKeyId: "bench", secretAccessKey: "of this machine alone" };

/** The least Worker that does each half of either way. */
const worker = `
async function hashed(request, env, key) {
  const size = Number(request.headers.get("Content-Length"));
  const hash = new crypto.DigestStream("SHA-256");
  const { readable, writable } = new FixedLengthStream(size);
  const put = env.BUCKET.put(key, readable);
  const reader = request.body.getReader({ mode: "byob" });
  const [toHash, toBucket] = [hash.getWriter(), writable.getWriter()];
  let buffer = new ArrayBuffer(256 * 1024);
  for (;;) {
    const { value } = await reader.readAtLeast(buffer.byteLength, new Uint8Array(buffer));
    if (value === undefined || value.byteLength === 0) break;
    await Promise.all([toHash.write(value), toBucket.write(value)]);
    buffer = value.buffer;
  }
  await Promise.all([toHash.close(), toBucket.close(), put]);
  return hash.digest;
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const key = url.pathname.slice(1);
    if (request.method === "PUT" && url.search === "?hashed") await hashed(request, env, key);
    else if (request.method === "PUT") await env.BUCKET.put(key, request.body);
    else if (request.method === "POST") {
      const { body } = await env.BUCKET.get(key);
      await env.BUCKET.put("checked/" + key, body, { sha256: key });
    }
    return new Response(null, { status: 201 });
  },
};`;

interface Sample {
  readonly milliseconds: number;
  /** Milliseconds of CPU in workerd, the simulators of R2 included. */
  readonly cpu: number;
}

/** Seconds of CPU that the children of this process have used: all that runs workerd. */
function childrensSeconds(): number {
  const { user, system } = process.cpuUsage();
  return cpuSeconds(process.pid) - (user + system) / 1e6;
}

async function sampled(work: () => Promise<unknown>): Promise<Sample> {
  const before = childrensSeconds();
  const start = performance.now();
  await work();
  return { milliseconds: performance.now() - start, cpu: (childrensSeconds() - before) * 1000 };
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skerry-bench-"));
  await mkdir(join(folder, "src"));
  await writeFile(join(folder, "src/index.js"), worker);
  const config = join(folder, "wrangler.toml");
  await writeFile(
    config,
    `name = "bench"
main = "src/index.js"
compatibility_date = "2026-10-20"
[[r2_buckets]]
binding = "BUCKET"
bucket_name = "bench"
[r2_buckets.local_dev]
experimental_s3_credentials = { accessKeyId = "${credentials.accessKeyId}", secretAccessKey = "${credentials.secretAccessKey}" }
`,
  );
  const registry = await startLocalRegistry({
    config,
    port: await freePort(),
    persistTo: join(folder, "state"),
  });
  const bucket = `${registry.origin}/cdn-cgi/local/r2/s3/bench`;
  const s3 = new AwsClient({ ...credentials, service: "s3", region: "auto" });
  const copy = async (key: string) => {
    const headers = { "x-amz-copy-source": `bench/${key}` };
    const answer = await s3.fetch(`${bucket}/copied/${key}`, { method: "PUT", headers });
    if (!answer.ok) throw new Error(`CopyObject answered ${answer.status}`);
    await answer.text();
  };
  try {
    console.log(
      "| bytes | PATCH | PATCH, hashed on the way | commit by a checked put | commit by CopyObject |",
    );
    console.log("|---|---|---|---|---|");
    for (const size of sizes) {
      const columns = new Map<string, Sample[]>();
      // The first run warms everything up.
      for (let run = -1; run < runs; run++) {
        const body = generatedBody(size, `${size} ${run}`);
        const key = digestOf(body).slice("sha256:".length);
        const url = `${registry.origin}/${key}`;
        const steps: Readonly<Record<string, () => Promise<unknown>>> = {
          patch: () => expectSent(201, "PUT", url, body),
          hashed: () => expectSent(201, "PUT", `${url}?hashed`, body),
          put: () => expectSent(201, "POST", url),
          copy: () => copy(key),
        };
        for (const [name, step] of Object.entries(steps)) {
          // A connection that was idle while a body was hashed here may be gone.
          agent.destroy();
          const sample = await sampled(step);
          if (run >= 0) columns.set(name, [...(columns.get(name) ?? []), sample]);
        }
      }
      const shown = [...columns.values()].map((samples) => {
        const time = median(samples.map((sample) => sample.milliseconds));
        return `${time.toFixed(0)} ms (CPU ${median(samples.map(({ cpu }) => cpu)).toFixed(0)})`;
      });
      console.log(`| ${size} | ${shown.join(" | ")} |`);
    }
  } finally {
    agent.destroy();
    await registry.stop();
    await rm(folder, { recursive: true });
  }
}

await main();
