import { isDead } from "../../storage/guard.ts";
import { swap } from "../../storage/register.ts";
import type { Store } from "../../storage/store.ts";

/** Milliseconds after the announcement in which steps may be taken. */
const sweepTime = 30_000;
/** Keys that R2 deletes in one call. */
export const batchSize = 1000;

/** Keys to delete, in ranks: a rank is deleted only when the one before it was answered. */
export type Ranks = readonly (readonly string[])[];

/** What is done to a batch, in steps: a step is taken only when the one before it was answered. */
export type Steps = readonly (() => Promise<unknown>)[];

/** Deletes rank by rank. */
export function deletes({ bucket }: Store, ranks: Ranks): Steps {
  return ranks.filter((keys) => keys.length > 0).map((keys) => () => bucket.delete([...keys]));
}

/** `busy`: another collector is at work. `late`: time ran out before the last rank. */
export type SweepOutcome = "done" | "busy" | "late";

/**
 * Takes one batch under the guard: announce, verify, take, acknowledge (docs/protocols.md "Garbage
 * collection"). Nothing is taken that `verify` did not find free after the announcement.
 */
export async function sweep(store: Store, verify: () => Promise<Steps>): Promise<SweepOutcome> {
  const { bucket, clock, layout } = store;
  const key = layout.guard();
  const announced = clock.now();
  const before = await bucket.head(key);
  const { state, at } = before?.customMetadata ?? {};
  if (state === "sweeping" && !isDead(Number(at), announced)) return "busy";
  const guard = await writeGuard(store, before?.etag, "sweeping", announced);
  if (guard === undefined) return "busy";

  let outcome: SweepOutcome = "done";
  let steps: Steps = [];
  try {
    steps = await verify();
  } catch (error) {
    // Nothing was taken yet, so nothing can land late.
    await writeGuard(store, guard, "idle", announced);
    throw error;
  }
  // A step that fails leaves the guard as it is: it may still land, and writers wait until it cannot.
  for (const step of steps) {
    if (clock.now() - announced > sweepTime) {
      outcome = "late";
      break;
    }
    await step();
  }
  await writeGuard(store, guard, "idle", announced);
  return outcome;
}

function writeGuard(
  store: Store,
  version: string | undefined,
  state: "sweeping" | "idle",
  at: number,
): Promise<string | undefined> {
  const body = JSON.stringify({ state, at, nonce: crypto.randomUUID() });
  return swap(store, store.layout.guard(), version, body, { state, at: String(at) });
}
