import { expect, it } from "vitest";
import { counted, type Summary } from "../doubles/rounds.ts";
import {
  blobOf,
  closeUpload,
  expectStatus,
  imageOf,
  noise,
  pushBlob,
  pushImage,
  putManifest,
  type TestBlob,
} from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import { authorizedRows } from "./authorized.ts";
import type { Budget, Row } from "./row.ts";

const references = 12;
const hour = 3600 * 1000;

async function blobs(client: Client, name: string, count: number): Promise<TestBlob[]> {
  const made = [];
  for (let index = 0; index < count; index++) made.push(await blobOf(`blob ${index}`));
  for (const blob of made) await expectStatus(pushBlob(client, name, blob), 201);
  return made;
}

/** An image of `references` blobs that are there, not pushed itself. */
async function preparedImage(client: Client, more: object = {}) {
  const [config, ...layers] = await blobs(client, "app", references);
  if (config === undefined) throw new Error("no configuration");
  return imageOf(config, layers, more);
}

async function upload(client: Client): Promise<Response> {
  return expectStatus(client.ask("POST /v2/app/blobs/uploads/"), 202);
}

async function patched(client: Client, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
  const started = await upload(client);
  return expectStatus(client.ask(`PATCH ${started.headers.get("Location")}`, { body: bytes }), 202);
}

const mebibyte = 1024 * 1024;
const large = noise(2 * mebibyte);

const rows: readonly Row[] = [
  {
    request: "GET manifest by tag, KV right",
    budget: { A: 0, B: 1, kv: 1, rounds: 1 },
    status: 200,
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      return () => client.ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "GET manifest by tag, KV absent",
    budget: { A: 0, B: 4, kv: 1, cache: 3, rounds: 6 },
    status: 200,
    async prepare(client, world) {
      await pushImage(client, "app", "1", "a");
      await world.kv.actor("vandal").delete("strong:app:1");
      return () => client.ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "the same, with a copy in the data centre",
    budget: { A: 0, B: 1, kv: 1, cache: 1, rounds: 2 },
    status: 200,
    async prepare(client, world) {
      const { digest } = await pushImage(client, "app", "1", "a");
      await client.ask(`GET /v2/app/manifests/${digest}`);
      await world.kv.actor("vandal").delete("strong:app:1");
      return () => client.ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "GET manifest by tag, KV absent for two minutes: repaired after the answer",
    budget: { A: 0, B: 7, kv: 2, cache: 3, rounds: 6 },
    status: 200,
    async prepare(client, world) {
      await pushImage(client, "app", "1", "a");
      await world.kv.actor("vandal").delete("strong:app:1");
      world.clock.advance(hour);
      return () => client.ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "GET manifest by tag, eventual",
    budget: { A: 0, B: 0, kv: 1, rounds: 1 },
    status: 200,
    config: { tagConsistency: "eventual" },
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      return () => client.ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "HEAD manifest by tag",
    budget: { A: 0, B: 1, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      return () => client.ask("HEAD /v2/app/manifests/1");
    },
  },
  {
    request: "HEAD manifest by digest",
    budget: { A: 0, B: 1, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      const { digest } = await pushImage(client, "app", "1", "a");
      return () => client.ask(`HEAD /v2/app/manifests/${digest}`);
    },
  },
  {
    request: "GET manifest by digest",
    budget: { A: 0, B: 3, kv: 0, cache: 3, rounds: 5 },
    status: 200,
    async prepare(client) {
      const { digest } = await pushImage(client, "app", "1", "a");
      return () => client.ask(`GET /v2/app/manifests/${digest}`);
    },
  },
  {
    request: "GET manifest by digest, with a copy in the data centre",
    budget: { A: 0, B: 0, kv: 0, cache: 1, rounds: 1 },
    status: 200,
    async prepare(client) {
      const { digest } = await pushImage(client, "app", "1", "a");
      await client.ask(`GET /v2/app/manifests/${digest}`);
      return () => client.ask(`GET /v2/app/manifests/${digest}`);
    },
  },
  {
    request: "HEAD blob",
    budget: { A: 0, B: 1, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      const [blob] = await blobs(client, "app", 1);
      return () => client.ask(`HEAD /v2/app/blobs/${blob?.digest}`);
    },
  },
  {
    request: "GET blob",
    budget: { A: 0, B: 4, kv: 0, cache: 3, rounds: 6 },
    status: 200,
    async prepare(client) {
      const [blob] = await blobs(client, "app", 1);
      return () => client.ask(`GET /v2/app/blobs/${blob?.digest}`);
    },
  },
  {
    request: "GET blob, with a copy in the data centre",
    budget: { A: 0, B: 0, kv: 0, cache: 1, rounds: 1 },
    status: 200,
    async prepare(client) {
      const [blob] = await blobs(client, "app", 1);
      await client.ask(`GET /v2/app/blobs/${blob?.digest}`);
      return () => client.ask(`GET /v2/app/blobs/${blob?.digest}`);
    },
  },
  {
    request: "GET blob above `CACHE_BLOB_MAX`",
    budget: { A: 0, B: 2, kv: 0, cache: 1, rounds: 2 },
    status: 200,
    config: { cacheBlobMax: 1 },
    async prepare(client) {
      const [blob] = await blobs(client, "app", 1);
      return () => client.ask(`GET /v2/app/blobs/${blob?.digest}`);
    },
  },
  {
    request: "GET blob, one range",
    budget: { A: 0, B: 2, kv: 0, rounds: 2 },
    status: 206,
    async prepare(client) {
      const [blob] = await blobs(client, "app", 1);
      return () => client.ask(`GET /v2/app/blobs/${blob?.digest}`, { headers: { Range: "bytes=1-2" } });
    },
  },
  {
    request: "POST upload",
    budget: { A: 0, B: 0, kv: 0, rounds: 0 },
    status: 202,
    prepare: async (client) => () => client.ask("POST /v2/app/blobs/uploads/"),
  },
  {
    request: "PUT blob after POST",
    budget: { A: 3, B: 4, kv: 0, rounds: 6 },
    status: 201,
    async prepare(client) {
      const started = await upload(client);
      const blob = await blobOf(large);
      return () => closeUpload(client, started, blob.digest, blob.bytes);
    },
  },
  {
    request: "PUT blob after POST, content stored already (small)",
    budget: { A: 2, B: 4, kv: 0, rounds: 5 },
    status: 201,
    async prepare(client) {
      const blob = await blobOf("shared");
      await pushBlob(client, "other", blob);
      const started = await upload(client);
      return () => closeUpload(client, started, blob.digest, blob.bytes);
    },
  },
  {
    request: "POST upload with `digest` and the blob",
    budget: { A: 3, B: 3, kv: 0, rounds: 6 },
    status: 201,
    async prepare(client) {
      const blob = await blobOf(large);
      return () => client.ask(`POST /v2/app/blobs/uploads/?digest=${blob.digest}`, { body: blob.bytes });
    },
  },
  {
    request: "PATCH, known length",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 202,
    async prepare(client) {
      const started = await upload(client);
      return () => client.ask(`PATCH ${started.headers.get("Location")}`, { body: large });
    },
  },
  {
    request: "PATCH, whole small blob (the shortcut)",
    budget: { A: 2, B: 1, kv: 0, rounds: 3 },
    status: 202,
    async prepare(client) {
      const started = await upload(client);
      return () => client.ask(`PATCH ${started.headers.get("Location")}`, { body: noise(1000) });
    },
  },
  {
    request: "closing PUT after one PATCH",
    budget: { A: 3, B: 4, kv: 0, rounds: 7 },
    status: 201,
    async prepare(client) {
      const answer = await patched(client, large);
      const { digest } = await blobOf(large);
      return () => closeUpload(client, answer, digest);
    },
  },
  {
    request: "closing PUT after the shortcut",
    budget: { A: 2, B: 4, kv: 0, rounds: 5 },
    status: 201,
    async prepare(client) {
      const blob = await blobOf(noise(1000));
      const answer = await patched(client, blob.bytes);
      return () => closeUpload(client, answer, blob.digest);
    },
  },
  {
    request: "GET upload status",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 204,
    async prepare(client) {
      const answer = await patched(client, large);
      return () => client.ask(`GET ${answer.headers.get("Location")}`);
    },
  },
  {
    request: "mount with `from`",
    budget: { A: 2, B: 4, kv: 0, rounds: 4 },
    status: 201,
    async prepare(client) {
      const [blob] = await blobs(client, "other", 1);
      return () => client.ask(`POST /v2/app/blobs/uploads/?mount=${blob?.digest}&from=other`);
    },
  },
  {
    request: "mount without `from`",
    budget: { A: 3, B: 5, kv: 0, rounds: 6 },
    status: 201,
    async prepare(client) {
      const [blob] = await blobs(client, "other", 1);
      return () => client.ask(`POST /v2/app/blobs/uploads/?mount=${blob?.digest}`);
    },
  },
  {
    request: `PUT manifest by tag, ${references} references`,
    budget: { A: 6, B: references + 7, kv: 1, rounds: Math.ceil((references + 2) / 6) + 6 },
    status: 201,
    async prepare(client) {
      await pushImage(client, "app", "0", "other");
      const image = await preparedImage(client);
      return () => putManifest(client, "app", "1", image);
    },
  },
  {
    request: "the same in a new repository",
    budget: { A: 7, B: references + 7, kv: 1, rounds: Math.ceil((references + 2) / 6) + 7 },
    status: 201,
    async prepare(client) {
      const image = await preparedImage(client);
      return () => putManifest(client, "app", "1", image);
    },
  },
  {
    request: "the same with a subject",
    budget: { A: 7, B: references + 8, kv: 1, rounds: Math.ceil((references + 3) / 6) + 7 },
    status: 201,
    async prepare(client) {
      const { digest, bytes, mediaType } = await pushImage(client, "app", "0", "other");
      const image = await preparedImage(client, { subject: { mediaType, digest, size: bytes.byteLength } });
      return () => putManifest(client, "app", "1", image);
    },
  },
  {
    request: `PUT of what the tag already has, ${references} references`,
    budget: { A: 0, B: references + 6, kv: 0, rounds: Math.ceil((references + 2) / 6) + 2 },
    status: 201,
    async prepare(client) {
      const image = await preparedImage(client);
      await putManifest(client, "app", "1", image);
      return () => putManifest(client, "app", "1", image);
    },
  },
  {
    request: "PUT manifest by digest with `?tag=` x 10, 2 references",
    budget: { A: 33, B: 27, kv: 10, rounds: 22 },
    status: 201,
    async prepare(client) {
      await pushImage(client, "app", "0", "other");
      const [config, layer] = await blobs(client, "app", 2);
      if (config === undefined || layer === undefined) throw new Error("no blobs");
      const image = await imageOf(config, [layer]);
      const tags = Array.from({ length: 10 }, (_, index) => `tag=t${index}`).join("&");
      return () => putManifest(client, "app", `${image.digest}?${tags}`, image);
    },
  },
  {
    request: "PATCH of unknown length, 20 MiB",
    budget: { A: 3, B: 0, kv: 0, rounds: 3 },
    status: 202,
    async prepare(client) {
      const started = await upload(client);
      const body = new Blob([noise(20 * mebibyte)]).stream();
      return () => client.ask(`PATCH ${started.headers.get("Location")}`, { body });
    },
  },
  {
    request: "closing PUT after it",
    budget: { A: 3, B: 6, kv: 0, rounds: 9 },
    status: 201,
    async prepare(client) {
      const started = await upload(client);
      const blob = await blobOf(noise(20 * mebibyte));
      const patch = client.ask(`PATCH ${started.headers.get("Location")}`, {
        body: new Blob([blob.bytes]).stream(),
      });
      const answer = await expectStatus(patch, 202);
      return () => closeUpload(client, answer, blob.digest);
    },
  },
  {
    request: "dated tags, 100 on a page",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      for (const tag of ["1", "2"]) await pushImage(client, "app", tag, tag);
      return () => client.ask("GET /v2/app/_skerry/tags");
    },
  },
  {
    request: "tags/list, 100 tags on a page",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      for (const tag of ["1", "2"]) await pushImage(client, "app", tag, tag);
      return () => client.ask("GET /v2/app/tags/list");
    },
  },
  {
    request: "_catalog",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      return () => client.ask("GET /v2/_catalog");
    },
  },
  {
    request: "DELETE manifest by tag",
    budget: { A: 1, B: 2, kv: 1, rounds: 4 },
    status: 202,
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      return () => client.ask("DELETE /v2/app/manifests/1");
    },
  },
  ...[0, 1, 10].map(
    (k): Row => ({
      request: `DELETE manifest by digest, ${k} tags ever on it`,
      budget: { A: 2 + k, B: 2 * k + 2, kv: k, cache: 1, rounds: 5 + 5 * Math.ceil(k / 6) },
      status: 202,
      async prepare(client) {
        const image = await pushImage(client, "app", undefined, "a");
        for (let index = 0; index < k; index++) await putManifest(client, "app", `t${index}`, image);
        return () => client.ask(`DELETE /v2/app/manifests/${image.digest}`);
      },
    }),
  ),
  {
    request: "DELETE blob",
    budget: { A: 1, B: 1, kv: 0, cache: 1, rounds: 3 },
    status: 202,
    async prepare(client) {
      const [blob] = await blobs(client, "app", 1);
      return () => client.ask(`DELETE /v2/app/blobs/${blob?.digest}`);
    },
  },
  {
    request: "referrers",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      const { digest, bytes, mediaType } = await pushImage(client, "app", "0", "other");
      const image = await preparedImage(client, { subject: { mediaType, digest, size: bytes.byteLength } });
      await putManifest(client, "app", image.digest, image);
      return () => client.ask(`GET /v2/app/referrers/${digest}`);
    },
  },
  ...authorizedRows,
];

interface Measured extends Summary {
  /** Rounds until the answer; the rest come after it. */
  readonly answered: number;
}

async function measure(row: Row): Promise<Measured> {
  let onAnswer = () => {};
  const world = createTestRegistry({
    edgeCache: true,
    onAnswer: () => onAnswer(),
    ...(row.config && { config: row.config }),
  });
  const client = world.client();
  const request = await row.prepare(client, world);
  let answered = 0;
  const summary = await counted(world.gate, (network) => {
    onAnswer = () => {
      answered = network.rounds;
    };
    return request();
  });
  expect(summary.result.status).toBe(row.status);
  return { ...summary, answered };
}

const measured = new Map<Row, Measured>();

it.each(rows)("$request stays within its budget", async (row) => {
  const summary = await measure(row);
  measured.set(row, summary);
  const { A, B, kv, cache, rounds } = summary;
  const budget: Required<Budget> = { cache: 0, ...row.budget };
  const over = Object.entries({ A, B, kv, cache, rounds }).filter(
    ([what, count]) => count > budget[what as keyof Budget],
  );
  expect(over, summary.operations.join("\n")).toEqual([]);
});

it("writes the table in docs/budgets.md", async () => {
  expect(measured.size).toBe(rows.length);
  const lines = [...measured].map(([{ request }, { A, B, kv, cache, rounds, answered, operations }]) => {
    const after = rounds > answered ? ` + ${rounds - answered}` : "";
    const counts = [A, B, kv, cache, `${answered}${after}`].join(" | ");
    return `| ${request} | ${counts} | ${operations.map(shortened).join(" · ")} |`;
  });
  const text = [
    "# Operations of each request, as counted",
    "",
    "Written by `test/budgets/budgets.test.ts`, which runs each request through the whole application over doubles",
    "that count, on a network where every operation takes one tick and six of a request are in flight at most.",
    "A: R2 writes and lists. B: R2 reads. Cache: the cache of the data centre, which is free. Rounds: how many times",
    "the request waits, and after a plus sign how many times what it leaves behind for after its answer does. R2",
    "deletes are free and not counted as A. Repeated operations in a row are written once, with their number.",
    "",
    "| request | A | B | KV | cache | rounds | operations in order |",
    "|---|---|---|---|---|---|---|",
    ...collapse(lines),
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot("../../docs/budgets.md");
});

/** An operation without what differs from run to run. */
function shortened(operation: string): string {
  return operation
    .replaceAll("docker/registry/v2/", "")
    .replaceAll("https://registry.example/v2/_skerry/cache/", "")
    .replaceAll(/repositories\/(app|other)\//g, "")
    .replace(/sha256\/[0-9a-f]{2}\/[0-9a-f]{64}/g, "…")
    .replace(/sha256\/[0-9a-f]{64}/g, "…")
    .replaceAll(/_uploads\/[0-9a-f-]{36}\//g, "_uploads/")
    .replace(/\/sha256-[0-9a-f]{64}/, "/…")
    .replace(/\/t\d$/, "/…")
    .replaceAll(/tags\/t\d\//g, "tags/…/")
    .replace(/(\S+)(?: \1)+$/, (keys, key) => `${key} (${keys.split(" ").length} keys)`)
    .replace(/:t\d$/, ":…");
}

function collapse(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const cells = line.split(" | ");
    const operations = (cells.pop() ?? "").replace(/ \|$/, "").split(" · ");
    const runs: { operation: string; count: number }[] = [];
    for (const operation of operations) {
      const last = runs.at(-1);
      if (last?.operation === operation) last.count++;
      else runs.push({ operation, count: 1 });
    }
    const text = runs.map(({ operation, count }) => (count === 1 ? operation : `${operation} x${count}`));
    return `${cells.join(" | ")} | ${text.join(" · ")} |`;
  });
}
