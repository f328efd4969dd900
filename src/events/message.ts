import * as v from "valibot";
import { cloudEvent, cloudEventBatchMediaType, cloudEventMediaType } from "./cloud-event.ts";
import { distributionEvent, distributionMediaType } from "./distribution-envelope.ts";
import type { RegistryEvent } from "./event.ts";
import { type Webhook, wants } from "./webhooks.ts";

/** Events in one request to a webhook that takes several. */
const together = 20;

/** What is to be delivered to one webhook: the unit that is queued and repeated. */
export interface Message {
  /** Its name: where it is and its key stay in the configuration. */
  readonly webhook: string;
  /** One, unless the format takes several. */
  readonly events: readonly RegistryEvent[];
}

const schema = v.looseObject({
  webhook: v.string(),
  events: v.pipe(v.array(v.looseObject({ id: v.string(), type: v.string() })), v.minLength(1)),
});

/** Whether what came out of a queue is a message of ours. */
export function isMessage(body: unknown): body is Message {
  return v.is(schema, body);
}

/** The messages by which webhooks are told of events: those that they want, in their order. */
export function messagesFor(
  webhooks: readonly Webhook[],
  events: readonly RegistryEvent[],
): readonly Message[] {
  return webhooks.flatMap((webhook) => {
    const wanted = events.filter((event) => wants(webhook, event) && isTold(webhook, event));
    const size = webhook.format === "cloudevents-batch" ? together : 1;
    return Array.from({ length: Math.ceil(wanted.length / size) }, (_, index) => ({
      webhook: webhook.name,
      events: wanted.slice(index * size, (index + 1) * size),
    }));
  });
}

/** A message as its webhook reads it. */
export function written(
  { format }: Webhook,
  { events }: Message,
): { readonly contentType: string; readonly body: string } {
  switch (format) {
    case "distribution":
      return {
        contentType: distributionMediaType,
        body: JSON.stringify({ events: events.map(distributionEvent) }),
      };
    case "cloudevents":
      return { contentType: cloudEventMediaType, body: JSON.stringify(events.map(cloudEvent)[0]) };
    case "cloudevents-batch":
      return { contentType: cloudEventBatchMediaType, body: JSON.stringify(events.map(cloudEvent)) };
  }
}

function isTold({ format }: Webhook, event: RegistryEvent): boolean {
  return format !== "distribution" || distributionEvent(event) !== undefined;
}
