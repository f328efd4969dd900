import * as v from "valibot";

/**
 * The part of a bucket's event notification that is used
 * (https://developers.cloudflare.com/r2/buckets/event-notifications/, "Message format").
 */
const notification = v.object({
  action: v.string(),
  object: v.object({ key: v.string() }),
});

const removals: readonly string[] = ["DeleteObject", "LifecycleDeletion"];

/** That an object was created, overwritten or removed. Events say where to look, and nothing else is believed. */
export interface BucketEvent {
  readonly key: string;
  readonly isRemoval: boolean;
}

/** Reads the body of a queue's message; undefined for what is no event notification. */
export function parseEvent(body: unknown): BucketEvent | undefined {
  const result = v.safeParse(notification, body);
  if (!result.success) return undefined;
  const { action, object } = result.output;
  return { key: object.key, isRemoval: removals.includes(action) };
}
