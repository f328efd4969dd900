import { whenWritable } from "../../storage/register.ts";
import type { Store } from "../../storage/store.ts";
import type { AdoptState } from "../adopt.ts";
import type { GcPolicy } from "./collector.ts";
import { type GcReport, newReport } from "./report.ts";

/**
 * Every so many passes look for what only a changed configuration left, and, beside another registry, at all claims:
 * what that one deletes stands in no journal.
 */
const deepEvery = 16;
/** Milliseconds that a pass may seem to begin in the future: clocks agree within 30 seconds. */
const tolerance = 5 * 60 * 1000;

/** Where a pass stands; kept in the bucket between steps. */
export interface GcState {
  /** Time of the pass's beginning, Unix time in milliseconds: its identity. */
  readonly pass: number;
  /** `adoption`: not before the bucket is taken over does it show what its blobs are needed for. */
  readonly phase: "adoption" | "repositories" | "blobs" | "done";
  /** The last repository that is dealt with, or where the merge of blobs and claims stands. */
  readonly cursor?: string;
  /** Passes before this one. */
  readonly count: number;
  /** Claims written before this time were looked at by an earlier pass. */
  readonly claimsSince: number;
  /**
   * Claims written before this time were too young for no step of this pass, and so need not be looked at by the next
   * one. It is that of the step whose clock and grace make it the earliest. Absent: nothing is known of any.
   */
  readonly claimsUntil?: number;
  /** Which adoption the bucket had gone through when the pass began. */
  readonly adoption?: number;
  readonly foreign: boolean;
  /** The rules of retention, and since when they are these; Unix time in milliseconds. */
  readonly rules?: string;
  readonly rulesSince?: number;
  readonly report: GcReport;
}

/** The first pass in a bucket, which looks at all claims; a dry run's looks at those since a time. */
export function firstState(
  now: number,
  dryRun: boolean,
  adoption: AdoptState | undefined,
  claimsSince = 0,
): GcState {
  return {
    pass: now,
    phase: "repositories",
    count: 0,
    claimsSince,
    claimsUntil: now,
    ...(adoption?.begun !== undefined && { adoption: adoption.begun }),
    foreign: false,
    report: newReport(now, dryRun),
  };
}

/** The pass after `last`. */
export function nextState(
  last: GcState,
  now: number,
  { foreignWrites }: GcPolicy,
  adoption: AdoptState | undefined,
): GcState {
  const count = last.count + 1;
  // An adoption that began again has found what another registry wrote. What that one deleted, claims alone show.
  const mayBeDeletedBeside =
    foreignWrites === "events" ? count % deepEvery === 0 : adoption?.begun !== last.adoption;
  const claimsSince = mayBeDeletedBeside || isFromFuture(last, now) ? 0 : (last.claimsUntil ?? 0);
  const { rules, rulesSince } = last;
  const kept = rules === undefined || rulesSince === undefined ? {} : { rules, rulesSince };
  return { ...firstState(now, false, adoption, claimsSince), count, ...kept };
}

/** Whether the pass began by a clock that was wrong: its times would stop passes, and hide claims, until they come. */
export function isFromFuture({ pass }: GcState, now: number): boolean {
  return pass - now > tolerance;
}

/** The state of a step that begins now, which finds claims of the grace too young. */
export function stepped(state: GcState, now: number, { foreignWrites, grace }: GcPolicy): GcState {
  // Beside a registry of which nothing tells no claim is looked at.
  const until = foreignWrites === "allowed" ? 0 : now - grace;
  return { ...state, claimsUntil: Math.min(state.claimsUntil ?? 0, until) };
}

/** Whether a pass looks for what only another configuration left. */
export function isDeep({ count }: GcState): boolean {
  return count % deepEvery === 0;
}

/** Where the last pass stands; undefined if there was none. */
export async function readState(store: Store): Promise<GcState | undefined> {
  const object = await store.bucket.get(store.layout.gcState());
  return object === null ? undefined : object.json<GcState>();
}

export async function writeState(store: Store, state: GcState): Promise<void> {
  await whenWritable(store, () => store.bucket.put(store.layout.gcState(), JSON.stringify(state)));
}
