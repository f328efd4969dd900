import { whenWritable } from "../../storage/register.ts";
import type { Store } from "../../storage/store.ts";

/** How often, in milliseconds, it is noted that another registry writes. */
const markEvery = 60_000;

/** When another registry was last seen to write, Unix time in milliseconds; undefined if it never was. */
export async function lastForeignWrite(store: Store): Promise<number | undefined> {
  return (await store.bucket.head(store.layout.foreignMark()))?.uploaded.getTime();
}

/** Notes that another registry has just been seen to write. */
export async function markForeignWrite(store: Store): Promise<void> {
  const last = await lastForeignWrite(store);
  if (last !== undefined && store.clock.now() - last < markEvery) return;
  await whenWritable(store, () => store.bucket.put(store.layout.foreignMark(), ""));
}
