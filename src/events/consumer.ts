import type { Clock, Fetch } from "../storage/ports.ts";
import { deliver, type Outcome } from "./delivery.ts";
import { deliveryLine } from "./delivery-log.ts";
import { isMessage } from "./message.ts";
import type { Webhook } from "./webhooks.ts";

/** Seconds that a queue delays a message at most. */
const maxDelay = 12 * 3600;
/** Seconds that Skerry waits at most unless the receiver asks for more. */
const maxBackoff = 3600;

export interface ConsumerOptions {
  readonly webhooks: readonly Webhook[];
  /** Seconds before the first repetition; each further one waits twice as long. */
  readonly retrySeconds: number;
  readonly send: Fetch;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** The parts of a queue's message that the consumer uses. */
export type QueuedMessage = Pick<Message<unknown>, "body" | "attempts" | "ack" | "retry">;

/**
 * Delivers a batch of a queue, whichever that is: each message by itself, so that a receiver that fails keeps
 * nobody else waiting, and nobody else is told twice on its account. How often a message is tried, and where it
 * goes after that, is the queue's configuration.
 */
export async function consume(messages: readonly QueuedMessage[], options: ConsumerOptions): Promise<void> {
  await Promise.all(messages.map((message) => consumeOne(message, options)));
}

async function consumeOne(message: QueuedMessage, options: ConsumerOptions): Promise<void> {
  const { webhooks, send, clock, log } = options;
  const { body, attempts } = message;
  if (!isMessage(body)) {
    console.error("the queue of events holds something else");
    return message.ack();
  }
  const webhook = webhooks.find(({ name }) => name === body.webhook);
  const outcome: Outcome =
    webhook === undefined ? { kind: "gone" } : await deliver(send, webhook, body, clock.now());
  const line = deliveryLine(body, outcome, attempts);
  if (line !== undefined) log(line);
  if (outcome.kind !== "failed") return message.ack();
  message.retry({ delaySeconds: delayOf(attempts, options.retrySeconds, outcome.retryAfter) });
}

/** Twice as long each time, a tenth more or less so that receivers are not asked all at once; or as they ask. */
function delayOf(attempts: number, first: number, retryAfter: number | undefined): number {
  const backoff = Math.min(first * 2 ** (attempts - 1), maxBackoff) * (0.9 + 0.2 * Math.random());
  return Math.min(Math.max(Math.round(backoff), retryAfter ?? 0), maxDelay);
}
