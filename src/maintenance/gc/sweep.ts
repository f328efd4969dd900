import { isDead } from "../../storage/guard.ts";
import { swap } from "../../storage/register.ts";
import type { Store } from "../../storage/store.ts";
import { type Claim, writeJournal } from "./journal.ts";

/** Milliseconds after the announcement in which steps may be taken. */
const sweepTime = 30_000;
/** Keys that R2 deletes in one call. */
export const batchSize = 1000;

/** Keys to delete, in ranks: a rank is deleted only when the one before it was answered. */
export type Ranks = readonly (readonly string[])[];

/** What is done to a batch, in steps: a step is taken only when the one before it was answered. */
export type Steps = readonly (() => Promise<unknown>)[];

/**
 * Deletes rank by rank. Claims whose links go in an earlier rank are written down first: if the collector dies in
 * between, or runs out of time, nothing else would tell of them.
 */
export async function deletes(store: Store, ranks: Ranks): Promise<Steps> {
  const { bucket, layout } = store;
  const filled = ranks.filter((keys) => keys.length > 0);
  const steps = filled.map((keys) => () => bucket.delete([...keys]));
  const claims = filled.slice(1).flatMap((keys) =>
    keys.flatMap((key): readonly Claim[] => {
      const parsed = layout.parse(key);
      return parsed?.kind === "owner" ? [parsed] : [];
    }),
  );
  if (claims.length === 0) return steps;
  const journal = await writeJournal(store, claims);
  // One that stays costs a look in the next pass, which is no reason to keep writers waiting for the guard.
  return [...steps, () => bucket.delete(journal).catch(() => undefined)];
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
