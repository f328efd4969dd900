import type { Outcome } from "./delivery.ts";
import type { Message } from "./message.ts";

/** The line of JSON for a delivery that failed, or undefined for one that did not. Never the URL: it may be a secret. */
export function deliveryLine(message: Message, outcome: Outcome, attempt: number): string | undefined {
  if (outcome.kind === "delivered") return undefined;
  return JSON.stringify({
    event: "webhook",
    webhook: message.webhook,
    outcome: outcome.kind,
    reason: outcome.kind === "failed" ? outcome.reason : undefined,
    attempt,
    ids: message.events.map(({ id }) => id),
    types: [...new Set(message.events.map(({ type }) => type))],
  });
}
