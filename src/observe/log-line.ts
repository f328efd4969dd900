import type { Counts } from "../storage/operation-counts.ts";
import { auditOf, type RequestRecord } from "./request-record.ts";

/** Which requests get a line: none; those that failed here; writes, deletes and refusals too; all. */
export const logLevels = ["off", "errors", "audit", "requests"] as const;

export type LogLevel = (typeof logLevels)[number];

/** Characters of a path at most. */
const maxPath = 512;
/** Monitors ask these every few seconds: a line for each would hide the others. */
const quietRoutes: readonly (string | undefined)[] = ["/livez", "/readyz", "/version"];

/**
 * The line of JSON for a request (docs/operations.md "Watch"), or undefined if the level wants none. The query is
 * left out, since that of an upload URL is a signed permission to write, and so are all headers but two.
 */
export function logLine(record: RequestRecord, level: LogLevel): string | undefined {
  const audit = auditOf(record);
  if (!isWanted(record, audit !== undefined, level)) return undefined;
  const { operations } = record;
  return JSON.stringify({
    event: "request",
    audit,
    at: new Date(record.at).toISOString(),
    id: record.id,
    caller: record.caller ?? "unknown",
    scheme: record.scheme,
    method: record.method,
    route: record.route,
    path: record.path.slice(0, maxPath),
    repository: record.repository,
    reference: record.reference,
    status: record.status,
    error: record.error,
    reason: record.reason,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    ms: record.duration,
    r2: unlessEmpty(operations.r2),
    kv: unlessEmpty(operations.kv),
    cache: unlessEmpty(operations.cache),
    address: record.address,
    agent: record.agent,
  });
}

function isWanted({ status, route }: RequestRecord, isAudited: boolean, level: LogLevel): boolean {
  if (level === "off") return false;
  if (status >= 500) return true;
  if (level === "errors") return false;
  return isAudited || (level === "requests" && !quietRoutes.includes(route));
}

function unlessEmpty(counts: Counts): Counts | undefined {
  return Object.keys(counts).length > 0 ? counts : undefined;
}
