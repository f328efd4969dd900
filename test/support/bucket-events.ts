import type { QueueMessage } from "../../src/maintenance/events/consume.ts";
import type { Operation } from "../doubles/operation.ts";

/**
 * The body of an event notification, as Cloudflare documents it
 * (https://developers.cloudflare.com/r2/buckets/event-notifications/). No simulator sends any: tests make them of
 * what was written.
 */
export function notificationOf(
  action: "PutObject" | "CopyObject" | "CompleteMultipartUpload" | "DeleteObject",
  key: string,
  eventTime: Date,
): object {
  const written = { size: 71, eTag: "c846ff7a18f28c2e262116d6e8719ef0" };
  return {
    account: "3f4b7e3dcab231cbfdaa90a6a28bd548",
    action,
    bucket: "skerry",
    object: { key, ...(action !== "DeleteObject" && written) },
    eventTime: eventTime.toISOString(),
  };
}

/** A message that remembers what became of it. */
export class MessageDouble implements QueueMessage {
  readonly body: unknown;
  outcome: "acknowledged" | { readonly after: number } | undefined;

  constructor(body: unknown) {
    this.body = body;
  }

  ack(): void {
    this.outcome = "acknowledged";
  }

  retry(options?: QueueRetryOptions): void {
    this.outcome = { after: options?.delaySeconds ?? 0 };
  }
}

/** The messages that a bucket's rule for keys that end in `/link` makes of operations that succeeded. */
export function messagesOf(trace: readonly Operation[]): MessageDouble[] {
  return trace.flatMap(({ store, kind, keys }) => {
    if (store !== "R2" || (kind !== "put" && kind !== "delete")) return [];
    const action = kind === "put" ? "PutObject" : "DeleteObject";
    return keys
      .filter((key) => key.endsWith("/link"))
      .map((key) => new MessageDouble(notificationOf(action, key, new Date(0))));
  });
}
