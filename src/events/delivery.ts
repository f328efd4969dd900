import type { Fetch } from "../storage/ports.ts";
import { version } from "../version.ts";
import { type Message, written } from "./message.ts";
import { signature } from "./signature.ts";
import type { Webhook } from "./webhooks.ts";

/** What came of a delivery. A receiver that is gone (410) wants no more tries. */
export type Outcome =
  | { readonly kind: "delivered" | "gone" }
  /** `retryAfter`: seconds that the receiver asked for. */
  | { readonly kind: "failed"; readonly reason: string; readonly retryAfter?: number };

/**
 * Sends a message to its webhook, once, signed as Standard Webhooks says. The receiver may see it again; the
 * `webhook-id` is the same then. A redirect is not followed: it could lead anywhere.
 * @param now Unix time in milliseconds.
 * @param timeout seconds until it counts as failed.
 */
export async function deliver(
  send: Fetch,
  webhook: Webhook,
  message: Message,
  now: number,
  timeout: number = webhook.timeout,
): Promise<Outcome> {
  const { contentType, body } = written(webhook, message);
  const id = message.events[0]?.id ?? "";
  const timestamp = String(Math.floor(now / 1000));
  try {
    const response = await send(webhook.url, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(timeout * 1000),
      headers: {
        "Content-Type": contentType,
        "User-Agent": `Skerry/${version}`,
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": await signature(webhook.secret, id, timestamp, body),
      },
      body,
    });
    await response.body?.cancel();
    return outcomeOf(response, now);
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.name : "unknown" };
  }
}

function outcomeOf({ ok, status, headers }: Response, now: number): Outcome {
  if (ok) return { kind: "delivered" };
  if (status === 410) return { kind: "gone" };
  const retryAfter = secondsOf(headers.get("Retry-After"), now);
  return { kind: "failed", reason: `status ${status}`, ...(retryAfter !== undefined && { retryAfter }) };
}

/** Seconds of a `Retry-After` (RFC 9110 section 10.2.3): a number of them, or a date. */
function secondsOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}
