import { type RepositoryName, tryParseRepositoryName } from "../../oci/name.ts";
import { MeteredBucket, OutOfOperations } from "../../storage/metered-bucket.ts";
import type { Store } from "../../storage/store.ts";
import {
  type AdoptState,
  fewestAdoptOperations,
  readAdoption,
  restartAdoption,
  runAdoptStep,
} from "../adopt.ts";
import { objects } from "../pages.ts";
import { collectBlobs } from "./blobs.ts";
import type { Collector, GcPolicy } from "./collector.ts";
import { wasWrittenLately } from "./foreign-writes.ts";
import { type GcReport, note } from "./report.ts";
import { collectRepository } from "./repository.ts";
import {
  firstState,
  type GcState,
  isDeep,
  isFromFuture,
  nextState,
  readState,
  stepped,
  writeState,
} from "./state.ts";

/** Reports that are kept. */
const keptReports = 30;
/** Milliseconds between two saves of the cursor: R2 takes one write a second for a key. */
const saveEvery = 10_000;
/** Milliseconds after which a step takes on no further repository or batch. */
const stepTime = 25_000;
/** Operations that a step keeps for its guard, its deletes and its state. */
const reserve = 40;

export interface GcStep {
  readonly policy: GcPolicy;
  /** R2 operations that the step may use. */
  readonly operations: number;
  /** Nothing is marked, deleted or remembered. */
  readonly dryRun?: boolean;
  /** A new pass begins only when the last one began so many milliseconds ago. */
  readonly every: number;
  /** Told of each tag that retention removes. */
  readonly onExpired?: Collector["onExpired"];
}

/**
 * One bounded step of garbage collection. A step may die anywhere: what it did stays done, and the next one goes
 * on from the last cursor. The first steps in a bucket go through it once for what distribution may have written
 * there (src/maintenance/adopt.ts), and so do those after a pass that saw a foreign write.
 * @param resume where a dry run goes on, which keeps nothing in the bucket.
 * @returns where the pass stands; `phase: "done"` when nothing is left to do for now.
 */
export async function runGcStep(store: Store, step: GcStep, resume?: GcState): Promise<GcState> {
  const now = store.clock.now();
  const adoption = await readAdoption(store);
  const isAdopted = adoption?.done ?? false;
  let state = resume ?? (await lastState(store, now, adoption, step.dryRun ?? false));
  if (!isAdopted && !step.dryRun) {
    await runAdoptStep(store, Math.max(step.operations, fewestAdoptOperations));
    return { ...state, phase: "adoption" };
  }
  if (state.phase === "done") {
    const isRecent = now - state.pass < step.every && !isFromFuture(state, now);
    if (resume !== undefined || isRecent) return state;
    state = nextState(state, now, step.policy, adoption);
    if (step.policy.foreignWrites === "events" && !step.dryRun) {
      // Repositories of which every event was lost are found by nothing else, and their bytes would look unclaimed.
      await restartAdoption(store);
      await writeState(store, state);
      return { ...state, phase: "adoption" };
    }
  }
  state = stepped(state, now, step.policy);
  const rules = JSON.stringify(step.policy.retention?.rules ?? []);
  // A dry run remembers nothing: to it the rules are as old as what they judge.
  if (state.rules !== rules) state = { ...state, rules, rulesSince: step.dryRun ? 0 : now };
  const bucket = new MeteredBucket(store.bucket, Math.max(step.operations - reserve, 1));
  const collector: Collector = {
    store: { ...store, bucket },
    unmetered: store,
    bucket,
    policy: step.policy,
    dryRun: step.dryRun ?? false,
    report: state.report,
    pass: state.pass,
    onExpired: step.onExpired,
    isDeep: isDeep(state),
    rulesSince: state.rulesSince ?? now,
    progress: 0,
    foreign: state.foreign || !isAdopted || (await wasWrittenLately(store, step.policy)),
  };
  const start = state;
  let saved = now;
  let visiting: RepositoryName | undefined;
  let counted = state.report.counts;
  const save = async () => {
    state = { ...state, foreign: collector.foreign };
    if (!collector.dryRun) await writeState(store, state);
    saved = store.clock.now();
  };
  const advance = async (cursor: string) => {
    state = { ...state, cursor };
    if (store.clock.now() - now >= stepTime) throw new OutOfOperations();
    if (store.clock.now() - saved >= saveEvery) await save();
  };
  try {
    if (state.phase === "repositories") {
      for await (const name of repositories(collector, state.cursor)) {
        visiting = name;
        counted = { ...state.report.counts };
        await collectRepository(collector, name);
        visiting = undefined;
        await advance(name);
      }
      const { cursor: _, ...rest } = state;
      state = { ...rest, phase: "blobs" };
    }
    const scope = { since: state.claimsSince };
    // What another registry links goes unseen until the bucket is adopted again.
    if (step.policy.foreignWrites !== "allowed")
      for await (const cursor of collectBlobs(collector, scope, state.cursor)) await advance(cursor);
  } catch (error) {
    if (!(error instanceof OutOfOperations)) throw error;
    // A dry run changes nothing, and so would count the same again when it comes back.
    if (collector.dryRun && visiting !== undefined) Object.assign(state.report.counts, counted);
    if (visiting !== undefined && state.cursor === start.cursor && collector.progress === 0) {
      // A whole step did not suffice to get anything done: the pass goes on without it.
      note(state.report, `${visiting}: too large for the operations of a step`);
      state = { ...state, cursor: visiting };
    }
    await save();
    return state;
  }
  // Before the pass counts as done: a death in between must not forget what it saw.
  if (collector.foreign && !collector.dryRun) await restartAdoption(store);
  state.report.finishedAt = new Date(store.clock.now()).toISOString();
  state = { ...state, phase: "done" };
  await save();
  if (!collector.dryRun) await keepReport(store, state);
  return state;
}

/** Where the last pass stands. A dry run begins at its beginning, with the claims that it looked at. */
async function lastState(
  store: Store,
  now: number,
  adoption: AdoptState | undefined,
  dryRun: boolean,
): Promise<GcState> {
  const stored = await readState(store);
  if (stored === undefined || dryRun) return firstState(now, dryRun, adoption, stored?.claimsSince);
  return stored;
}

/** The last reports, newest first. @param limit at most so many; each costs a read. */
export async function readReports(store: Store, limit = keptReports): Promise<readonly GcReport[]> {
  const keys: string[] = [];
  for await (const { key } of objects(store, store.layout.gcReports())) keys.unshift(key);
  const reports: GcReport[] = [];
  for (const key of keys.slice(0, limit)) {
    const object = await store.bucket.get(key);
    if (object !== null) reports.push(await object.json<GcReport>());
  }
  return reports;
}

/** Repositories after `cursor` in byte order, from the catalog and from those that only hold blobs. */
async function* repositories(
  collector: Collector,
  cursor: string | undefined,
): AsyncGenerator<RepositoryName> {
  const { store } = collector;
  const { layout } = store;
  const catalog = objects(store, layout.catalogs(), cursor && layout.catalogs() + cursor);
  const others = objects(store, layout.gcRepositories(), cursor && layout.gcRepositories() + cursor);
  const heads = [await catalog.next(), await others.next()] as const;
  let [a, b] = heads;
  while (!a.done || !b.done) {
    const first = a.value?.key.slice(layout.catalogs().length);
    const second = b.value?.key.slice(layout.gcRepositories().length);
    const next = second === undefined || (first !== undefined && first <= second) ? first : second;
    if (first === next) a = await catalog.next();
    if (second === next) b = await others.next();
    const name = tryParseRepositoryName(next ?? "");
    if (name !== undefined) yield name;
  }
}

async function keepReport(store: Store, state: GcState): Promise<void> {
  await store.bucket.put(store.layout.gcReport(String(state.pass)), JSON.stringify(state.report));
  const keys: string[] = [];
  for await (const { key } of objects(store, store.layout.gcReports())) keys.push(key);
  const old = keys.slice(0, -keptReports);
  if (old.length > 0) await store.bucket.delete(old);
}
