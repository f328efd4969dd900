import type { OperationCounts } from "../storage/operation-counts.ts";

/** What is known of a request once its answer is decided; texts from outside but the path are clipped. */
export interface RequestRecord {
  /** Of Cloudflare (`CF-Ray`), else random. */
  readonly id: string;
  /** When the answer was decided; Unix time in milliseconds. */
  readonly at: number;
  readonly method: string;
  /** As the table of routes writes it, without patterns: `/v2/:name/manifests/:reference`; undefined for no route. */
  readonly route: string | undefined;
  /** Without the query. */
  readonly path: string;
  readonly repository: string | undefined;
  /** What the route's last part names. */
  readonly reference: "tag" | "digest" | "upload" | undefined;
  readonly status: number;
  /** The first code of the error envelope. */
  readonly error: string | undefined;
  /** Why credentials were not good. */
  readonly reason: string | undefined;
  /** Bytes of the two bodies, as far as their headers say. */
  readonly bytesIn: number | undefined;
  readonly bytesOut: number | undefined;
  /** Milliseconds from the request to its answer. Workers' clocks stand still while they compute. */
  readonly duration: number;
  /** What was asked until then: not what goes on after the answer, or while a body is sent. */
  readonly operations: OperationCounts;
  /** The account's name, or `anonymous`; undefined where nobody was asked for, or found out. */
  readonly caller: string | undefined;
  readonly scheme: string | undefined;
  readonly address: string | undefined;
  readonly agent: string | undefined;
}

/** Where clients and browsers are let in, which changes nothing. */
const sessionRoutes = ["/token", "/-/sign-in", "/-/sign-out"];

/** What an auditor wants to know of, if the request is such a thing. */
export function auditOf(record: RequestRecord): "write" | "delete" | "refusal" | undefined {
  const { status, method } = record;
  if ([401, 403, 429].includes(status)) return "refusal";
  if (status >= 400 || sessionRoutes.includes(record.route ?? "")) return undefined;
  // A web page's form has no other method than POST.
  if (method === "DELETE" || (method === "POST" && record.route?.endsWith("/delete"))) return "delete";
  return ["POST", "PUT", "PATCH"].includes(method) ? "write" : undefined;
}
