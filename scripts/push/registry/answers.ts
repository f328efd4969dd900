import type { IncomingHttpHeaders } from "node:http";
import { RegistryFailure } from "./failure.ts";
import type { Answer } from "./transport.ts";

/** What the user may do about a refusal, by its status. */
const hints: Readonly<Record<number, string>> = {
  401: "log in with `docker login` or `podman login`, or check the account and its key",
  403: "the account may not do that: its grants, or the scope of its token, do not reach so far",
  405: "the registry does not take that at all: it may be read-only",
  413: "something on the way refuses request bodies of this size: set a smaller --chunk-size",
};

interface Envelope {
  readonly errors?: readonly {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly detail?: unknown;
  }[];
}

/** The failure that an answer is. `what` was asked, for the message, such as `PUT https://host/path`. */
export function failureOf(what: string, answer: Answer, now = Date.now()): RegistryFailure {
  const { status } = answer;
  const entries = errorEntries(answer.body);
  const told = entries.map(({ code, message, detail }) =>
    [code, message, detail === undefined ? undefined : JSON.stringify(detail)].filter(Boolean).join(" "),
  );
  const hint = hints[status];
  const parts = [
    String(status),
    ...(told.length > 0 ? [told.join("; ")] : []),
    ...(hint ? [`(${hint})`] : []),
  ];
  return new RegistryFailure(`${what}: ${parts.join(" ")}`, {
    status,
    isTemporary: isTemporary(status),
    retryAfter: retryAfter(answer.headers, now),
    codes: entries.map(({ code }) => String(code)),
  });
}

function errorEntries(body: Buffer): NonNullable<Envelope["errors"]> {
  try {
    const envelope = JSON.parse(body.toString()) as Envelope | null;
    return Array.isArray(envelope?.errors) ? envelope.errors : [];
  } catch {
    return [];
  }
}

function isTemporary(status: number): boolean {
  return (
    status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505)
  );
}

/** Milliseconds from `now` that `Retry-After` names (RFC 9110, section 10.2.3); undefined without a sensible one. */
export function retryAfter(headers: IncomingHttpHeaders, now: number): number | undefined {
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
