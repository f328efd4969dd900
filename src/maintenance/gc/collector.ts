import type { Digest } from "../../oci/digest.ts";
import type { RepositoryName, Tag } from "../../oci/name.ts";
import { type MeteredBucket, OutOfOperations } from "../../storage/metered-bucket.ts";
import type { Store } from "../../storage/store.ts";
import type { TagTarget } from "../../storage/tag-register.ts";
import type { RetentionRule } from "../retention/rules.ts";
import { type GcReport, note } from "./report.ts";
import { deletes, type Ranks, type Steps, sweep } from "./sweep.ts";

/** How patient garbage collection is. Milliseconds. */
export interface GcPolicy {
  /** From when a pass first saw something unreferenced until it may go: longer than the longest request. */
  readonly grace: number;
  /** How long a tombstone of a tag or a manifest is kept; a tag's keeps its history. */
  readonly keepTombstones: number;
  /** How old segments of uploads become; no session lives so long. */
  readonly uploadAge: number;
  /**
   * Whether another registry writes to the bucket too, and whether its writes are told of as they happen
   * (docs/garbage-collection.md "Beside another registry"); `off` unless given.
   */
  readonly foreignWrites?: "off" | "allowed" | "events";
  /** What retention takes, by repository; nothing unless given. */
  readonly retention?: Retention;
}

/** What retention needs to know of the configuration. */
export interface Retention {
  readonly rules: readonly RetentionRule[];
  /** Whether a tag may only ever name one manifest. */
  readonly isImmutable: (name: RepositoryName, tag: Tag) => boolean;
}

/** A tag that retention removed, and what it named. */
export interface ExpiredTag {
  readonly name: RepositoryName;
  readonly tag: Tag;
  readonly target: TagTarget;
}

/** One step of a pass at work. */
export interface Collector {
  /** Works over `bucket`, which stops the step when its operations are used up. */
  readonly store: Store;
  readonly bucket: MeteredBucket;
  /** The same without the meter: for what must not stop halfway. */
  readonly unmetered: Store;
  readonly policy: GcPolicy;
  readonly dryRun: boolean;
  readonly report: GcReport;
  /** Told of each tag that retention removes. */
  readonly onExpired?: ((expired: ExpiredTag) => unknown) | undefined;
  /** Identity of the pass: makes the two-run rule and the filter's salt. */
  readonly pass: number;
  /** Whether the pass looks for what only another configuration left. */
  readonly isDeep: boolean;
  /** Since when the rules of retention are what they are, Unix time in milliseconds: no wait for them began before. */
  readonly rulesSince: number;
  /** Counts what the step changed, so that one that changes nothing can be told. */
  progress: number;
  /** Set once a foreign write was seen: then no blob data is deleted in this pass. */
  foreign: boolean;
}

/**
 * Operations of a sweep besides those that verify: the guard is read and written twice, and up to four ranks go, or
 * two and a journal, which comes and goes.
 */
const sweepOperations = 7;
/** A portion smaller than this is left to the next step, which has more operations. */
const fewest = 8;
/** A larger one would take so long to verify that its time is over, while writers wait for the guard. */
const most = 200;

/** Whether an object is older than `age`, by R2's time of its writing. */
export function isOlder(collector: Collector, object: R2Object, age: number): boolean {
  return collector.store.clock.now() - object.uploaded.getTime() > age;
}

/**
 * Splits what has to be verified so that the operations that are left suffice for a portion.
 * @param each operations for one item.
 * @throws OutOfOperations when they suffice for too few.
 */
export function* portions<Item>(
  collector: Collector,
  items: readonly Item[],
  each: number,
): Generator<readonly Item[]> {
  for (let rest = items; rest.length > 0; ) {
    // One more for each item: lists, and manifests that have to be read.
    const room = Math.floor((collector.bucket.left - sweepOperations) / (each + 1));
    if (room < Math.min(rest.length, fewest)) throw new OutOfOperations();
    const size = Math.min(room, most);
    yield rest.slice(0, size);
    rest = rest.slice(size);
  }
}

/**
 * Sweeps a batch unless this is a dry run, and counts what went.
 * @returns whether it was taken to its end; a note says why not.
 * @throws OutOfOperations when none are left for the guard and the deletes, or while verifying: nothing is deleted.
 */
export async function sweepBatch(
  collector: Collector,
  verify: () => Promise<Ranks>,
  count: (ranks: Ranks) => void,
): Promise<boolean> {
  let found: Ranks = [];
  const remember = async () => {
    found = await verify();
    return found;
  };
  if (collector.dryRun) {
    await remember();
    count(found);
    return true;
  }
  const isDone = await runUnderGuard(collector, async () => deletes(collector.unmetered, await remember()));
  if (!isDone) return false;
  if (found.some((keys) => keys.length > 0)) collector.progress++;
  count(found);
  return true;
}

/**
 * Takes a batch under the guard; a dry run only verifies.
 * @returns whether it was taken to its end; a note says why not.
 * @throws OutOfOperations when none are left for the guard, or while verifying: nothing is taken.
 */
export async function runUnderGuard(collector: Collector, verify: () => Promise<Steps>): Promise<boolean> {
  if (collector.dryRun) {
    await verify();
    return true;
  }
  collector.bucket.need(sweepOperations);
  for (let operation = 0; operation < sweepOperations; operation++) collector.bucket.count();
  const outcome = await sweep(collector.unmetered, verify);
  if (outcome !== "done")
    note(collector.report, outcome === "busy" ? "another collector was at work" : "a batch took too long");
  return outcome === "done";
}

/** A repository's thing, as notes name it. */
export function described(name: RepositoryName, what: string, digest: Digest | string): string {
  return `${name}: ${what} ${digest}`;
}
