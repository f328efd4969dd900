import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { startLocalRegistry } from "../scripts/local-registry.ts";
import { agent, digestOf, expectSent, type GeneratedBody, generatedBody, open } from "./transfer.ts";

const size = 95_000_000;
const runs = 5;

/**
 * What everything is measured against: the same bytes put into the same R2 simulator by the least Worker there is.
 * A POST puts what a PUT has put once more, under R2's check of its digest.
 */
const bareWorker = `export default {
  async fetch(request, env) {
    const key = new URL(request.url).pathname;
    if (request.method === "PUT") {
      await env.BUCKET.put(key, request.body);
    } else {
      const { body } = await env.BUCKET.get(key);
      await env.BUCKET.put("again" + key, body, { sha256: key.slice("/sha256:".length) });
    }
    return new Response(null, { status: 201 });
  },
};`;

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function patched(origin: string, body: GeneratedBody, framing: "length" | "chunked", digest: string) {
  const { location } = await expectSent(202, "PATCH", await open(origin), body, framing);
  await expectSent(201, "PUT", `${location}&digest=${digest}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "skerry-bench-"));
  const registry = await startLocalRegistry({ persistTo: join(directory, "registry") });
  const bare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      resourcePersistencePath: join(directory, "bare"),
      workers: [
        { modules: true, script: bareWorker, r2Buckets: ["BUCKET"], compatibilityDate: "2026-10-20" },
      ],
    }),
  );
  try {
    const { origin: bareOrigin } = await bare.ready;
    const { origin } = registry;
    const flows: Readonly<Record<string, (body: GeneratedBody, digest: string) => Promise<unknown>>> = {
      "bare R2 put": (body, digest) => expectSent(201, "PUT", `${bareOrigin}/${digest}`, body),
      "bare R2 put, then a checked one": async (body, digest) => {
        await expectSent(201, "PUT", `${bareOrigin}/${digest}`, body);
        await expectSent(201, "POST", `${bareOrigin}/${digest}`);
      },
      "POST+PUT": async (body, digest) =>
        expectSent(201, "PUT", `${await open(origin)}&digest=${digest}`, body),
      "POST+PATCH+PUT, length announced": (body, digest) => patched(origin, body, "length", digest),
      "POST+PATCH+PUT, chunked": (body, digest) => patched(origin, body, "chunked", digest),
    };
    const times = new Map<string, number[]>();
    for (let run = -1; run < runs; run++) {
      for (const [name, flow] of Object.entries(flows)) {
        const body = generatedBody(size, `${name} ${run}`);
        const digest = digestOf(body);
        const time = await milliseconds(() => flow(body, digest));
        // The first run warms everything up.
        if (run >= 0) times.set(name, [...(times.get(name) ?? []), time]);
      }
    }
    const base = median(times.get("bare R2 put") ?? []);
    console.log(`${size} bytes, median of ${runs} runs (all runs), and how many times the bare put's:`);
    for (const [name, all] of times) {
      const every = all.map((time) => time.toFixed(0)).join(", ");
      console.log(
        `${name.padEnd(34)} ${median(all).toFixed(0)} ms (${every})  ${(median(all) / base).toFixed(2)}x`,
      );
    }
  } finally {
    agent.destroy();
    await Promise.all([registry.stop(), bare.dispose()]);
    await rm(directory, { recursive: true });
  }
}

await main();
