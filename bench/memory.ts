import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type LocalRegistry, startLocalRegistry } from "../scripts/local-registry.ts";
import { watched } from "./support/resident.ts";
import { agent, digestOf, expectSent, generatedBody, isCut, open, send } from "./transfer.ts";

const megabyte = 1_000_000;
const mebibyte = 1024 * 1024;

/** What clients see of a refusal for want of a buffer, counted: the 503, or a connection that ends without it. */
let refusals = 0;
let cuts = 0;

/** Appends as a patient client does: what is refused is sent again later. */
async function patchUntilTaken(origin: string, size: number): Promise<string> {
  const body = generatedBody(size, randomUUID());
  for (;;) {
    try {
      const answer = await send("PATCH", await open(origin), body, "chunked");
      if (answer.status === 202) return `${answer.location}&digest=${digestOf(body)}`;
      if (answer.status !== 503) throw new Error(`PATCH: ${answer.status} ${answer.text}`);
      refusals++;
      await pause(answer.retryAfter * 1000);
    } catch (error) {
      if (!isCut(error)) throw error;
      cuts++;
      await pause(5000);
    }
  }
}

async function pushed(origin: string, size: number): Promise<void> {
  await expectSent(201, "PUT", await patchUntilTaken(origin, size));
}

const flows: readonly (readonly [string, (origin: string) => Promise<unknown>])[] = [
  [
    "600 MB PUT of known length",
    async (origin) => {
      const body = generatedBody(600 * megabyte, randomUUID());
      const digest = digestOf(body);
      await expectSent(201, "PUT", `${await open(origin)}&digest=${digest}`, body);
    },
  ],
  ["600 MB PATCH in chunks, PUT", (origin) => pushed(origin, 600 * megabyte)],
  [
    "20 x 100 MB PATCH in chunks, PUT",
    (origin) => Promise.all(Array.from({ length: 20 }, () => pushed(origin, 100 * megabyte))),
  ],
];

async function measure(registry: LocalRegistry, flow: (origin: string) => Promise<unknown>): Promise<string> {
  // What is only paid once, such as compiling and the buffers of the first upload, is no part of the figure.
  await pushed(registry.origin, mebibyte);
  const start = performance.now();
  const { before, peak } = await watched(flow(registry.origin));
  const seconds = (performance.now() - start) / 1000;
  return `${before.toFixed(0)} MiB before, ${peak.toFixed(0)} at most: +${(peak - before).toFixed(0)}; ${seconds.toFixed(1)} s`;
}

console.log("resident memory of workerd, with the simulators of R2 and KV:");
for (const [name, flow] of flows) {
  const persistTo = await mkdtemp(join(tmpdir(), "skerry-bench-"));
  const registry = await startLocalRegistry({ persistTo });
  try {
    refusals = 0;
    cuts = 0;
    const figures = await measure(registry, flow);
    console.log(`${name.padEnd(34)} ${figures}; ${refusals} times 503, ${cuts} cut off`);
  } finally {
    agent.destroy();
    await registry.stop();
    await rm(persistTo, { recursive: true });
  }
}
