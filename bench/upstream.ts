import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { startLocalRegistry } from "../scripts/local-registry.ts";
import { entryOf, variablesOf } from "../test/upstream/edge-entry.ts";
import { startFaultProxy } from "../test/upstream/fault-proxy.ts";
import type { Origin } from "../test/upstream/origin.ts";
import { watched } from "./support/resident.ts";
import { digestOf, type GeneratedBody, generatedBody } from "./transfer.ts";

// npm run bench:upstream
// The memory of workerd while blobs are pulled through it for the first time, by readers who take their time.

const megabyte = 1_000_000;
const prefix = "mirror.example";

/** A blob that an upstream generates as it sends it. */
interface Blob {
  readonly digest: string;
  readonly body: GeneratedBody;
  /** Whether the upstream tells its length: only then it is kept. */
  readonly isSized: boolean;
}

function newBlob(size: number, isSized = true): Blob {
  const body = generatedBody(size, randomUUID());
  return { digest: digestOf(body), body, isSized };
}

/** A registry that has these blobs and nothing else, in every repository. */
function originOf(blobs: readonly Blob[]): Origin {
  return async ({ method, url }) => {
    const blob = blobs.find(({ digest }) => url.endsWith(`/blobs/${digest}`));
    if (blob === undefined) return new Response(null, { status: 404 });
    const headers = new Headers({ "Docker-Content-Digest": blob.digest });
    if (blob.isSized) headers.set("Content-Length", String(blob.body.size));
    const pieces = Readable.toWeb(Readable.from(blob.body.pieces(), { objectMode: false }));
    return new Response(method === "HEAD" ? null : (pieces as unknown as ReadableStream), { headers });
  };
}

interface Reader {
  /** Bytes that it reads in a second; as fast as they come unless told. */
  readonly rate?: number;
}

/** Pulls a blob, and checks what came. */
async function pull(port: number, { digest, body }: Blob, { rate }: Reader = {}): Promise<void> {
  const path = `/v2/${prefix}/bench/blobs/${digest}`;
  const outgoing = request({ host: "127.0.0.1", port, path, agent: false }).end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  const hash = createHash("sha256");
  const start = performance.now();
  let read = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    hash.update(chunk);
    read += chunk.byteLength;
    const due = rate === undefined ? 0 : (read / rate) * 1000 - (performance.now() - start);
    if (due > 1) await pause(due);
  }
  const came = `sha256:${hash.digest("hex")}`;
  if (incoming.statusCode !== 200 || came !== digest || read !== body.size) {
    throw new Error(`${path}: ${incoming.statusCode}, ${read} bytes of ${came}`);
  }
}

interface Flow {
  readonly name: string;
  /** Bytes of each blob. */
  readonly sizes: readonly number[];
  /** The readers of each blob, all at once. */
  readonly readers: readonly Reader[];
  /** Whether the upstream keeps its lengths to itself, so that nothing is kept: no simulator of R2 is in the figure. */
  readonly isUnsized?: boolean;
}

const flows: readonly Flow[] = [
  { name: "1 GB", sizes: [1000 * megabyte], readers: [{}] },
  { name: "1 GB, read at 25 MB/s", sizes: [1000 * megabyte], readers: [{ rate: 25 * megabyte }] },
  {
    name: "1 GB, one reads, one at 25 MB/s",
    sizes: [1000 * megabyte],
    readers: [{}, { rate: 25 * megabyte }],
  },
  {
    name: "5 x 100 MB, 4 readers each",
    sizes: Array.from({ length: 5 }, () => 100 * megabyte),
    readers: [{}, {}, {}, {}],
  },
  {
    name: "1 GB, not kept, read at 60 MB/s",
    sizes: [1000 * megabyte],
    readers: [{ rate: 60 * megabyte }],
    isUnsized: true,
  },
];

async function measure({ sizes, readers, isUnsized = false }: Flow): Promise<string> {
  const warmUp = newBlob(megabyte);
  const blobs = sizes.map((size) => newBlob(size, !isUnsized));
  const proxy = await startFaultProxy(originOf([warmUp, ...blobs]));
  const persistTo = await mkdtemp(join(tmpdir(), "skerry-bench-"));
  const vars = variablesOf({ upstreams: [entryOf(prefix, proxy)] });
  const registry = await startLocalRegistry({ persistTo, vars });
  try {
    await pull(registry.port, warmUp);
    proxy.forget();
    const start = performance.now();
    const pulls = blobs.flatMap((blob) => readers.map((reader) => pull(registry.port, blob, reader)));
    const { before, peak } = await watched(Promise.all(pulls));
    const seconds = (performance.now() - start) / 1000;
    const downloads = proxy.seen.filter(({ method }) => method === "GET").length;
    await proxy.kill();
    if (!isUnsized) for (const blob of blobs) await pull(registry.port, blob);
    return `${before.toFixed(0)} MiB before, ${peak.toFixed(0)} at most: +${(peak - before).toFixed(0)}; ${seconds.toFixed(1)} s; ${downloads} downloads`;
  } finally {
    await registry.stop();
    await proxy.kill();
    await rm(persistTo, { recursive: true });
  }
}

console.log("resident memory of workerd, with the simulators of R2 and KV, during first pulls:");
for (const flow of flows) console.log(`${flow.name.padEnd(34)} ${await measure(flow)}`);
