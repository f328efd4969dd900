import type { Counts } from "../storage/operation-counts.ts";
import { auditOf, type RequestRecord } from "./request-record.ts";

/** The part of an Analytics Engine dataset that Skerry uses. */
export type Metrics = Pick<AnalyticsEngineDataset, "writeDataPoint">;

/** Bytes of an index at most. */
const maxIndex = 96;

/** The columns `blob1`, `blob2`, … of a data point, in order (docs/operations.md "Watch"). */
const texts: readonly (readonly [name: string, of: (record: RequestRecord) => string | undefined])[] = [
  ["route", ({ route }) => route],
  ["method", ({ method }) => method],
  ["status", ({ status }) => String(status)],
  ["error", ({ error }) => error],
  ["repository", ({ repository }) => repository],
  ["reference", ({ reference }) => reference],
  ["caller", ({ caller }) => caller],
  ["audit", auditOf],
  ["agent", ({ agent }) => agent],
];

/** The columns `double1`, `double2`, … */
const numbers: readonly (readonly [name: string, of: (record: RequestRecord) => number | undefined])[] = [
  ["ms", ({ duration }) => duration],
  ["bytes in", ({ bytesIn }) => bytesIn],
  ["bytes out", ({ bytesOut }) => bytesOut],
  [
    "R2 operations of class A",
    ({ operations: { r2 } }) => sum(r2, ["put", "list", "create", "part", "complete"]),
  ],
  ["R2 operations of class B", ({ operations: { r2 } }) => sum(r2, ["head", "get"])],
  ["KV reads", ({ operations: { kv } }) => sum(kv, ["get"])],
  ["KV writes and deletes", ({ operations: { kv } }) => sum(kv, ["put", "delete"])],
  ["cache hits", ({ operations: { cache } }) => sum(cache, ["hit"])],
  ["cache misses", ({ operations: { cache } }) => sum(cache, ["miss"])],
];

/** Names of the columns of a data point, by the names under which SQL knows them. */
export const columns: Readonly<Record<string, string>> = Object.fromEntries([
  ["index1", "repository, its first 96 bytes"],
  ...texts.map(([name], index) => [`blob${index + 1}`, name]),
  ...numbers.map(([name], index) => [`double${index + 1}`, name]),
]);

/** A request as a data point: what Analytics Engine samples by is the repository. Unknown numbers are 0. */
export function dataPoint(record: RequestRecord): AnalyticsEngineDataPoint {
  return {
    // Repository names are ASCII.
    indexes: [(record.repository ?? "").slice(0, maxIndex)],
    blobs: texts.map(([, of]) => of(record) ?? ""),
    doubles: numbers.map(([, of]) => of(record) ?? 0),
  };
}

function sum(counts: Counts, kinds: readonly string[]): number {
  return kinds.reduce((total, kind) => total + (counts[kind] ?? 0), 0);
}
