import type { Store } from "../../storage/store.ts";
import { lastForeignWrite } from "../events/foreign-mark.ts";
import type { GcPolicy } from "./collector.ts";

/**
 * Whether another registry, whose writes are told of as they happen, has written within the grace: it may rely on
 * bytes that nobody claims yet, and knows of no guard. One read, if there is such a registry.
 */
export async function wasWrittenLately(
  store: Store,
  { foreignWrites, grace }: Pick<GcPolicy, "foreignWrites" | "grace">,
): Promise<boolean> {
  if (foreignWrites !== "events") return false;
  const last = await lastForeignWrite(store);
  return last !== undefined && store.clock.now() - last <= grace;
}
