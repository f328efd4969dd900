import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { mapBounded } from "../src/storage/bounded.ts";
import { immediate, type Policy } from "../test/doubles/gate.ts";
import { operationClass } from "../test/doubles/operation.ts";
import { pushImage } from "../test/support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../test/support/registry.ts";
import { tagMany } from "../test/tags/many-tags.ts";

const usage = `npm run bench:delete -- [--tags N] [--latency MS]

Deletes a manifest that N tags name (10,000), by requests that are repeated until all is done, and compares the
time with that of N bare conditional puts of the same registers, six in flight in both. Over the doubles of the
tests: without latency; with MS milliseconds (2) for a read, and twice that for a write or a list, of R2 or KV;
and the same with KV_RECORDS=off.`;

const { values } = parseArgs({
  options: {
    tags: { type: "string", default: "10000" },
    latency: { type: "string", default: "2" },
    help: { type: "boolean", default: false },
  },
});
const tags = Number(values.tags);
const width = 6;

/** Every operation takes its time; those of one request that are in flight together take it together. */
function slow(read: number): Policy {
  return async ({ operation, ready }) => {
    await ready;
    await sleep(operationClass(operation) === "B" ? read : 2 * read);
    return undefined;
  };
}

async function tagged(kvRecords: boolean): Promise<{ world: TestRegistry; client: Client; digest: string }> {
  const world = createTestRegistry({ config: { kvRecords } });
  const client = world.client();
  const image = await pushImage(client, "app", undefined, "a");
  await tagMany(client, "app", image, tags, "t");
  return { world, client, digest: image.digest };
}

async function timed(world: TestRegistry, policy: Policy, run: () => Promise<void>): Promise<number> {
  world.gate.policy = policy;
  const begin = performance.now();
  await run();
  world.gate.policy = immediate;
  return performance.now() - begin;
}

/** Swaps every register of a tag for another body of its size, and does nothing else. */
async function barePuts(world: TestRegistry): Promise<void> {
  const bucket = world.r2.actor("bare");
  const registers = [...world.r2.store.objects()].filter(({ key }) => key.includes("/_skerry/tags/"));
  await mapBounded(registers, width, async ({ key, etag, bytes, customMetadata }) => {
    const body = new TextDecoder().decode(bytes).replace("live", "gone");
    const put = await bucket.put(key, body, { onlyIf: { etagMatches: etag }, customMetadata });
    if (put === null) throw new Error("a condition did not hold");
  });
}

async function deleteUntilDone(client: Client, digest: string): Promise<number> {
  for (let requests = 1; ; requests++) {
    const answer = await client.ask(`DELETE /v2/app/manifests/${digest}`);
    if (answer.status === 202) return requests;
    if (answer.status !== 503) throw new Error(`${answer.status}: ${await answer.text()}`);
  }
}

async function compare(name: string, policy: Policy, kvRecords = true): Promise<void> {
  const bare = await tagged(kvRecords);
  const puts = await timed(bare.world, policy, () => barePuts(bare.world));
  const { world, client, digest } = await tagged(kvRecords);
  let requests = 0;
  const time = await timed(world, policy, async () => {
    requests = await deleteUntilDone(client, digest);
  });
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
  console.log(
    `${name.padEnd(20)}  puts ${seconds(puts)}  delete ${seconds(time)} in ${requests} requests` +
      `  ratio ${(time / puts).toFixed(2)}`,
  );
}

if (values.help) console.log(usage);
else {
  console.log(`${tags} tags on one digest`);
  await compare("without latency", immediate);
  const network = slow(Number(values.latency));
  await compare(`reads take ${values.latency} ms`, network);
  await compare("without KV records", network, false);
}
