import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { startLocalRegistry } from "../scripts/local-registry.ts";
import { Client } from "../scripts/registry-client.ts";
import { newContent, newManifest, Repository } from "./support/registry.ts";
import { shown } from "./support/statistics.ts";
import { cpuSeconds } from "./support/usage.ts";

// What a request costs workerd, simulators of R2, KV and cache included, beside the least that a Worker can do: the
// difference is Skerry's. Time is CPU time, so that others on the machine disturb little.

/** Answers 1,500 bytes from memory. */
const least = `
const bytes = new Uint8Array(1500);
export default { fetch: () => new Response(bytes) };`;

/** Answers 1,500 bytes from the cache of the data centre. */
const leastWithCache = `
const url = "https://example.com/copy";
const headers = { "Cache-Control": "max-age=3600" };
export default {
  async fetch() {
    const copy = await caches.default.match(url);
    if (copy) return new Response(await copy.arrayBuffer());
    await caches.default.put(url, new Response(new Uint8Array(1500), { headers }));
    return new Response("filled");
  },
};`;

const { values } = parseArgs({ options: { count: { type: "string", default: "3000" } } });

/** Seconds of CPU that the children of this process have used: all that runs workerd. */
function childrensSeconds(): number {
  const { user, system } = process.cpuUsage();
  return cpuSeconds(process.pid) - (user + system) / 1e6;
}

/** Milliseconds of CPU for one request: the cheapest of five rounds, four requests at once. */
async function cost(operation: () => Promise<unknown>): Promise<number> {
  const count = Number(values.count);
  const rounds = [];
  for (let index = 0; index < count / 4; index++) await operation();
  for (let round = 0; round < 5; round++) {
    const before = childrensSeconds();
    let left = count;
    const work = async () => {
      while (left-- > 0) await operation();
    };
    await Promise.all([work(), work(), work(), work()]);
    rounds.push(((childrensSeconds() - before) * 1000) / count);
  }
  return Math.min(...rounds);
}

async function measureBare(name: string, script: string): Promise<void> {
  const options = { host: "127.0.0.1", port: 0, cf: false as const, modules: true as const, script };
  const miniflare = new Miniflare(convertV4MiniflareOptions({ ...options, compatibilityDate: "2026-10-20" }));
  const client = new Client((await miniflare.ready).origin);
  try {
    console.log(`${shown(await cost(() => client.ask("GET", "/", 200, { discard: true })))} ms  ${name}`);
  } finally {
    client.close();
    await miniflare.dispose();
  }
}

/** Skerry, with the loads that a pull consists of. */
async function measureSkerry(name: string, vars: Record<string, string>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "skerry-cpu-"));
  const registry = await startLocalRegistry({ persistTo: dir, vars });
  const client = new Client(registry.origin);
  try {
    const repository = new Repository(client, "bench/app");
    const [config, ...layers] = Array.from({ length: 6 }, () => newContent(1000));
    if (config === undefined) return;
    for (const blob of [config, ...layers]) await repository.pushInOne(blob);
    const manifest = newManifest(config, layers);
    await repository.put("1", manifest);
    const loads: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["GET /v2/", () => client.ask("GET", "/v2/", 200, { discard: true })],
      ["GET manifest by digest", () => repository.manifest(manifest.digest)],
      ["GET manifest by tag", () => repository.manifest("1")],
      ["GET blob, 1 KB", () => repository.blob(config.digest)],
    ];
    for (const [load, operation] of loads) {
      console.log(`${shown(await cost(operation))} ms  ${name}, ${load}`);
    }
  } finally {
    client.close();
    await registry.stop();
    await rm(dir, { recursive: true });
  }
}

await measureBare("the least Worker", least);
await measureBare("the least Worker, with the cache", leastWithCache);
await measureSkerry("Skerry", {});
await measureSkerry("Skerry without copies (CACHE_TTL=0)", { CACHE_TTL: "0" });
