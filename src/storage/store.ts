import type { Layout } from "./layout.ts";
import type { Bucket, Clock } from "./ports.ts";
import type { TagRecords } from "./tag-records.ts";

/** What every storage function works on: the bindings of one request, the key layout, time, and how wide to go. */
export interface Store {
  readonly bucket: Bucket;
  /** The tag records in KV, or undefined when they are switched off. */
  readonly tagRecords: TagRecords | undefined;
  readonly layout: Layout;
  readonly clock: Clock;
  /** How many R2 operations of one loop are in flight at once: 1 and more. */
  readonly concurrency: number;
}
