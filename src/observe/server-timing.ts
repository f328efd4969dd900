import type { Counts } from "../storage/operation-counts.ts";
import type { RequestRecord } from "./request-record.ts";

/** Who gets the header: nobody, who may do everything anyway, or everybody. */
export const timingAudiences = ["off", "admins", "everybody"] as const;

export type TimingAudience = (typeof timingAudiences)[number];

/**
 * The value of `Server-Timing` (W3C Server Timing): the duration in milliseconds, and how often each kind of
 * operation was asked for: `total;dur=12, r2;desc="head 1, get 2", kv;desc="get 1"`.
 */
export function serverTiming({ duration, operations }: RequestRecord): string {
  const { r2, kv, cache } = operations;
  const metrics = Object.entries({ r2, kv, cache }).flatMap(([name, counts]) => {
    const text = describe(counts);
    return text === "" ? [] : [`${name};desc="${text}"`];
  });
  return [`total;dur=${duration}`, ...metrics].join(", ");
}

function describe(counts: Counts): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(", ");
}
