import { mapBounded } from "../storage/bounded.ts";
import type { Clock, Fetch } from "../storage/ports.ts";
import { deliver } from "./delivery.ts";
import { deliveryLine } from "./delivery-log.ts";
import type { Circumstances, Happening, RegistryEvent } from "./event.ts";
import { type Message, messagesFor } from "./message.ts";
import type { Webhook } from "./webhooks.ts";

/** The part of a queue's producer that Skerry uses. */
export type EventQueue = Pick<Queue<Message>, "sendBatch">;

/** Messages of one send: a hundred events are far below the platform's 256 KB, whichever way they are grouped. */
const batchSize = 5;
/** Pauses before a failed send, or a delivery without a queue, is tried again; in milliseconds. */
const pauses: readonly number[] = [1000, 4000];
/** Seconds for a delivery without a queue: three of them and the pauses fit into what is left after an answer. */
const directTimeout = 7;
/** Deliveries without a queue at once: what Workers let wait for an answer. */
const directWidth = 6;

export interface EventsOptions {
  readonly webhooks: readonly Webhook[];
  /** Share of pulls that is told of, 0 to 1. */
  readonly pullSample: number;
  /** Where messages wait to be delivered; undefined: they are delivered at once, and not for long. */
  readonly queue: EventQueue | undefined;
  readonly send: Fetch;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** Tells webhooks what happens. */
export class Events {
  readonly #options: EventsOptions;
  /** Whether anybody is to be told of anything. */
  readonly enabled: boolean;

  constructor(options: EventsOptions) {
    this.#options = options;
    this.enabled = options.webhooks.length > 0;
  }

  /**
   * Hands events on, to the queue if there is one. Never rejects, and is for after the answer: what could not be
   * handed on is logged, and lost.
   */
  async publish(happenings: readonly Happening[], circumstances: Circumstances): Promise<void> {
    const { webhooks, pullSample, clock, queue } = this.#options;
    const time = new Date(clock.now()).toISOString();
    const events = happenings
      .filter(({ type }) => type !== "pull" || Math.random() < pullSample)
      .map((happening): RegistryEvent => ({ id: crypto.randomUUID(), time, ...happening, ...circumstances }));
    const messages = messagesFor(webhooks, events);
    if (queue === undefined) await mapBounded(messages, directWidth, (message) => this.#deliver(message));
    else await this.#enqueue(queue, messages);
  }

  async #enqueue(queue: EventQueue, messages: readonly Message[]): Promise<void> {
    for (let start = 0; start < messages.length; start += batchSize) {
      const batch = messages.slice(start, start + batchSize);
      const isSent = await this.#persist(() =>
        queue.sendBatch(batch.map((body) => ({ body }))).then(
          () => true,
          (error: unknown) => {
            console.error("events could not be queued", error);
            return false;
          },
        ),
      );
      if (isSent) continue;
      for (const message of batch) this.#log(message, "the queue takes nothing", pauses.length + 1);
    }
  }

  async #deliver(message: Message): Promise<void> {
    const { webhooks, send, clock, log } = this.#options;
    const webhook = webhooks.find(({ name }) => name === message.webhook);
    if (webhook === undefined) return;
    let attempt = 0;
    await this.#persist(async () => {
      attempt += 1;
      const timeout = Math.min(webhook.timeout, directTimeout);
      const outcome = await deliver(send, webhook, message, clock.now(), timeout);
      const line = deliveryLine(message, outcome, attempt);
      if (line !== undefined) log(line);
      return outcome.kind !== "failed";
    });
  }

  /** Tries until it succeeds, three times at most. */
  async #persist(attempt: () => Promise<boolean>): Promise<boolean> {
    for (const pause of pauses) {
      if (await attempt()) return true;
      await this.#options.clock.sleep(pause);
    }
    return attempt();
  }

  #log(message: Message, reason: string, attempt: number): void {
    const line = deliveryLine(message, { kind: "failed", reason }, attempt);
    if (line !== undefined) this.#options.log(line);
  }
}
