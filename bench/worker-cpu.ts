import { parseArgs } from "node:util";
import type { Bucket, KeyValue, ResponseCache } from "../src/storage/ports.ts";
import { blobOf, expectStatus, noise, pushBlob, pushImage } from "../test/support/content.ts";
import { type Client, createClient, createTestRegistry } from "../test/support/registry.ts";
import { median, shown } from "./support/statistics.ts";

// What Skerry's own code costs: the app in Node, over stores that answer at once from memory. Take a profile with
// `node --import ./bench/support/jsx.ts --cpu-prof bench/worker-cpu.ts`.

/** Answers each question as it was answered the first time. */
function remembering<Arguments extends readonly unknown[], Result>(
  ask: (...question: Arguments) => Promise<Result>,
): (...question: Arguments) => Promise<Result> {
  const answers = new Map<unknown, Promise<Result>>();
  return (...question) => {
    const answer = answers.get(question[0]) ?? ask(...question);
    answers.set(question[0], answer);
    return answer;
  };
}

/** A registry with an image and a blob, whose stores cost next to nothing from the second time on. */
async function prepare() {
  const world = createTestRegistry({ edgeCache: true });
  const pusher = world.client();
  const image = await pushImage(pusher, "team/app", "1", "a");
  const blob = await blobOf(noise(1000));
  await expectStatus(pushBlob(pusher, "team/app", blob), 201);
  const [bucket, kv, cache] = [world.r2.actor("bench"), world.kv.actor("bench"), world.cache.actor("bench")];
  const copied = remembering(async (url: string) => {
    const copy = await cache.match(url);
    return copy && { headers: copy.headers, bytes: await copy.arrayBuffer() };
  });
  const match = async (url: string) => {
    const copy = await copied(url);
    return copy && new Response(copy.bytes, { headers: copy.headers });
  };
  const client = createClient({
    bucket: { ...bucket, head: remembering((key: string) => bucket.head(key)) } as unknown as Bucket,
    kv: {
      getWithMetadata: remembering((key: string) => kv.getWithMetadata(key, "arrayBuffer")),
    } as unknown as KeyValue,
    cache: { match } as unknown as ResponseCache,
    clock: world.clock,
  });
  for (const path of [`manifests/${image.digest}`, `blobs/${blob.digest}`]) {
    await expectStatus(pusher.ask(`GET /v2/team/app/${path}`), 200);
  }
  return { client, image, blob };
}

/** Microseconds of CPU for one request. */
async function cost(client: Client, request: string, status: number, count: number): Promise<number> {
  const headers = {
    Accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, */*",
    "User-Agent": "containerd/2.0.0",
  };
  const before = process.cpuUsage();
  for (let index = 0; index < count; index++) {
    const response = await client.fetch(request, { headers });
    if (response.status !== status) throw new Error(`${request}: ${response.status}`);
    await response.arrayBuffer();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, count: { type: "string", default: "5000" } },
});
const { client, image, blob } = await prepare();
const requests: readonly (readonly [string, string, number])[] = [
  [
    "GET manifest by digest, with a copy in the data centre",
    `GET /v2/team/app/manifests/${image.digest}`,
    200,
  ],
  ["GET manifest by tag, KV right", "GET /v2/team/app/manifests/1", 200],
  ["HEAD manifest by tag", "HEAD /v2/team/app/manifests/1", 200],
  ["GET blob, with a copy in the data centre", `GET /v2/team/app/blobs/${blob.digest}`, 200],
  ["HEAD blob", `HEAD /v2/team/app/blobs/${blob.digest}`, 200],
  ["HEAD blob that is not there", `HEAD /v2/team/app/blobs/sha256:${"0".repeat(64)}`, 404],
  ["GET /v2/", "GET /v2/", 200],
];
for (const [name, request, status] of requests.filter(([name]) => name.includes(values.only))) {
  await cost(client, request, status, 2000);
  const rounds = [];
  for (let round = 0; round < 5; round++) {
    rounds.push(await cost(client, request, status, Number(values.count) / 5));
  }
  console.log(`${shown(median(rounds))} µs  ${name}`);
}
