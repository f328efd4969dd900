import { parseRetention } from "../../src/maintenance/retention/rules.ts";
import { pushImage } from "../support/content.ts";
import { blobs } from "./content.ts";
import type { Row } from "./row.ts";

const hour = 3600 * 1000;
/** A rule by which pulls have to be recorded. */
const pullRule = parseRetention('[{"repositories": ["*"], "keep": {"pulledWithinDays": 30}}]');

/** Pulls. */
export const reads: readonly Row[] = [
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
    request: "GET manifest by tag where retention asks for pulls: the day's first in an isolate",
    budget: { A: 1, B: 2, kv: 1, rounds: 3 },
    status: 200,
    config: { retention: pullRule },
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      return () => client.ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "the same, each one after it",
    budget: { A: 0, B: 1, kv: 1, rounds: 1 },
    status: 200,
    config: { retention: pullRule },
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      await client.ask("GET /v2/app/manifests/1");
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
    request: "GET blob above `BLOB_REDIRECT`",
    budget: { A: 0, B: 1, kv: 0, rounds: 1 },
    status: 307,
    config: { blobRedirect: 1 },
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
];
