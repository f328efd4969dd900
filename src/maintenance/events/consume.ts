import { RegistryError } from "../../oci/error.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { metered, OutOfOperations } from "../../storage/metered-bucket.ts";
import type { Store } from "../../storage/store.ts";
import { adoptEvent } from "./adopt-event.ts";
import type { Following } from "./following.ts";
import { markForeignWrite } from "./foreign-mark.ts";
import { type BucketEvent, parseEvent } from "./message.ts";

/** The part of a queue's message that is used. */
export type QueueMessage = Pick<Message, "body" | "ack" | "retry">;

/** What came of a batch: events by what became of their keys, and what was left alone and why. */
export interface BatchReport {
  readonly messages: number;
  adopted: number;
  kept: number;
  again: number;
  readonly notes: string[];
}

export interface ConsumeOptions {
  /** R2 operations that the batch may use; what is left then comes again. */
  readonly operations: number;
  readonly isImmutable: Following["isImmutable"];
}

/**
 * Takes a batch of a bucket's event notifications (docs/big-layers.md "Second front door"): each key is looked at
 * once, as it is now, and its messages are acknowledged, or come again.
 */
export async function consumeBucketEvents(
  store: Store,
  messages: readonly QueueMessage[],
  { operations, isImmutable }: ConsumeOptions,
): Promise<BatchReport> {
  const report: BatchReport = { messages: messages.length, adopted: 0, kept: 0, again: 0, notes: [] };
  const meteredStore = metered(store, operations);
  const groups = grouped(messages, report);
  let marking: Promise<void> | undefined;
  const following: Following = {
    isImmutable,
    // First of all, so that garbage collection knows whatever becomes of the rest.
    onForeign: () => {
      marking ??= markForeignWrite(store);
      return marking;
    },
  };
  await mapBounded(groups, store.concurrency, async ({ event, messages }) => {
    try {
      const outcome = await adoptEvent(meteredStore, following, event);
      if (typeof outcome === "object") {
        report.again += messages.length;
        for (const message of messages) message.retry({ delaySeconds: Math.ceil(outcome.after / 1000) });
        return;
      }
      if (outcome === "adopted" || outcome === "kept") report[outcome] += messages.length;
      else report.notes.push(`${outcome}: ${event.key}`);
      for (const message of messages) message.ack();
    } catch (error) {
      if (!(error instanceof OutOfOperations)) logFailure(event, error);
      report.again += messages.length;
      for (const message of messages) message.retry({ delaySeconds: delayAfter(error) });
    }
  });
  return report;
}

interface Group {
  readonly event: BucketEvent;
  readonly messages: QueueMessage[];
}

/** Messages by what they ask to look at. Those that are none of a bucket's are dropped, with a note. */
function grouped(messages: readonly QueueMessage[], report: BatchReport): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const message of messages) {
    const event = parseEvent(message.body);
    if (event === undefined) {
      report.notes.push("no event notification of a bucket");
      message.ack();
      continue;
    }
    const id = `${event.isRemoval} ${event.key}`;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { event, messages: [message] });
    else group.messages.push(message);
  }
  return groups.values();
}

function logFailure({ key }: BucketEvent, error: unknown): void {
  console.error("the event of a key could not be dealt with", key, error);
}

/** Seconds until a message comes again. */
function delayAfter(error: unknown): number {
  if (error instanceof OutOfOperations) return 1;
  return error instanceof RegistryError && error.status === 503 ? 5 : 30;
}
