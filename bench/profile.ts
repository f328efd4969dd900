import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startLocalRegistry } from "../scripts/local-registry.ts";
import { freePort } from "../test/clients/harness/free-port.ts";
import { Client } from "./support/client.ts";
import { newContent, newManifest, Repository } from "./support/registry.ts";
import { shown } from "./support/statistics.ts";

const usage = `node bench/profile.ts [options]    Where the Worker's time goes on workerd, by its debugger's sampling profiler.

  --load NAME     digest, tag or blob: GET of a manifest by digest or tag, or of a blob of 1 KB (digest)
  --count N       requests in each of five rounds, of which the cheapest counts (2000)
  --save FILE     where the profile goes, for Chrome's developer tools`;

const projectRoot = join(import.meta.dirname, "..");

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

/** A debugger of the Worker, by the Chrome DevTools protocol. */
class Debugger {
  readonly #socket: WebSocket;
  #calls = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<Debugger> {
    const response = await fetch(`http://127.0.0.1:${port}/json`);
    const workers = (await response.json()) as readonly { id: string; webSocketDebuggerUrl: string }[];
    const url = workers.find(({ id }) => id.startsWith("core:user"))?.webSocketDebuggerUrl;
    if (url === undefined) throw new Error("the Worker has no debugger");
    const socket = new WebSocket(url);
    await once(socket, "open");
    return new Debugger(socket);
  }

  call<Result>(method: string, params: object = {}): Promise<Result> {
    const id = ++this.#calls;
    return new Promise((resolve) => {
      const listen = ({ data }: MessageEvent) => {
        const message = JSON.parse(String(data)) as { readonly id?: number; readonly result: Result };
        if (message.id !== id) return;
        this.#socket.removeEventListener("message", listen);
        resolve(message.result);
      };
      this.#socket.addEventListener("message", listen);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** Microseconds in each function itself, without waiting. */
function selfTimes({ nodes, samples, timeDeltas }: Profile): ReadonlyMap<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const place = url === "" ? "native" : `${url.split("/").at(-1)}:${lineNumber + 1}`;
      return [id, `${functionName || "(anonymous)"} ${place}`];
    }),
  );
  const times = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    const name = names.get(sample) ?? "";
    if (name.startsWith("(idle)")) continue;
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  return times;
}

/** A Worker whose functions keep their names. */
async function readableConfig(dir: string): Promise<string> {
  const text = await readFile(join(projectRoot, "wrangler.toml"), "utf8");
  const file = join(dir, "wrangler.toml");
  await writeFile(
    file,
    text.replace("minify = true", "minify = false").replace(/^main = "/m, `main = "${projectRoot}/`),
  );
  return file;
}

async function load(client: Client, name: string): Promise<() => Promise<unknown>> {
  const repository = new Repository(client, "bench/app");
  const [config = newContent(1), ...layers] = Array.from({ length: 6 }, () => newContent(1000));
  for (const blob of [config, ...layers]) await repository.pushInOne(blob);
  const manifest = newManifest(config, layers);
  await repository.put("1", manifest);
  if (name === "digest") return () => repository.manifest(manifest.digest);
  if (name === "tag") return () => repository.manifest("1");
  if (name === "blob") return () => repository.blob(config.digest);
  throw new Error(`--load ${name}: digest, tag or blob expected`);
}

const { values } = parseArgs({
  options: {
    load: { type: "string", default: "digest" },
    count: { type: "string", default: "2000" },
    save: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "skerry-profile-"));
  const inspectorPort = await freePort();
  const registry = await startLocalRegistry({
    config: await readableConfig(dir),
    persistTo: join(dir, "state"),
    inspectorPort,
  });
  const client = new Client(registry.origin);
  try {
    const operation = await load(client, values.load);
    for (let index = 0; index < 500; index++) await operation();
    const worker = await Debugger.open(inspectorPort);
    await worker.call("Profiler.enable");
    await worker.call("Profiler.setSamplingInterval", { interval: 100 });
    const count = Number(values.count);
    let best: { readonly total: number; readonly profile: Profile } | undefined;
    for (let round = 0; round < 5; round++) {
      await worker.call("Profiler.start");
      for (let index = 0; index < count; index++) await operation();
      const { profile } = await worker.call<{ readonly profile: Profile }>("Profiler.stop");
      const total = [...selfTimes(profile).values()].reduce((sum, time) => sum + time, 0);
      if (best === undefined || total < best.total) best = { total, profile };
    }
    worker.close();
    if (best === undefined) return;
    console.log(`${shown(best.total / count)} µs a request, of which`);
    const times = [...selfTimes(best.profile)].toSorted(([, a], [, b]) => b - a);
    for (const [name, time] of times.slice(0, 25))
      console.log(`${shown(time / count).padStart(8)} µs  ${name}`);
    if (values.save !== undefined) await writeFile(values.save, JSON.stringify(best.profile));
  } finally {
    client.close();
    await registry.stop();
    await rm(dir, { recursive: true });
  }
}

if (values.help) console.log(usage);
else await main();
