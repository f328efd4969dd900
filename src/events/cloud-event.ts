import type { RegistryEvent } from "./event.ts";

export const cloudEventMediaType = "application/cloudevents+json";
export const cloudEventBatchMediaType = "application/cloudevents-batch+json";

/** The source of events of a registry that does not know its own address. */
const unnamed = "skerry";

/** The event as a CloudEvent in structured JSON (CloudEvents 1.0.2). */
export function cloudEvent(event: RegistryEvent): object {
  const { id, time, type, origin, ...data } = event;
  const { repository, tag, digest } = event;
  return {
    specversion: "1.0",
    id,
    source: origin ?? unnamed,
    type: `skerry.${type}`,
    subject: tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`,
    time,
    datacontenttype: "application/json",
    data,
  };
}
