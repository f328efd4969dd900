import type { Store } from "../storage/store.ts";
import type { ListedJob } from "./list.ts";

/** Imports that are remembered at most. */
const most = 1000;
const week = 7 * 24 * 3600 * 1000;
/** Milliseconds for which an import that is over is remembered. */
const keptFor = week;
/** Milliseconds after which none is open any more, whatever its record says: one is given up after a week. */
const openFor = 2 * week;

/** Forgets imports that have been over for a week, and records that say nothing of it. */
export async function forgetOld(store: Store, listed: readonly ListedJob[]): Promise<void> {
  const now = store.clock.now();
  await forget(
    store,
    listed.filter(({ state, at }) => now - at > (state === "open" ? openFor : keptFor)),
  );
}

/**
 * Makes room for one import more, by forgetting those that have been over for the longest time.
 * @returns false if too many are open.
 */
export async function makeRoom(store: Store, listed: readonly ListedJob[]): Promise<boolean> {
  const over = listed.filter(({ state }) => state !== "open").toSorted((one, other) => one.at - other.at);
  const surplus = listed.length + 1 - most;
  if (surplus > over.length) return false;
  if (surplus > 0) await forget(store, over.slice(0, surplus));
  return true;
}

async function forget(store: Store, jobs: readonly ListedJob[]): Promise<void> {
  const batch = 1000;
  for (let start = 0; start < jobs.length; start += batch) {
    // What is over is never written again, and no id is given out twice.
    await store.bucket.delete(jobs.slice(start, start + batch).map(({ id }) => store.layout.importJob(id)));
  }
}
