import type { Digest } from "../../oci/digest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import type { MeteredBucket } from "../../storage/metered-bucket.ts";
import type { Store } from "../../storage/store.ts";
import { type GcReport, note } from "./report.ts";
import { type Ranks, sweep } from "./sweep.ts";

/** How patient garbage collection is. Milliseconds. */
export interface GcPolicy {
  /** From when a pass first saw something unreferenced until it may go: longer than the longest request. */
  readonly grace: number;
  /** How long a tombstone of a tag or a manifest is kept; a tag's keeps its history. */
  readonly keepTombstones: number;
  /** How old segments of uploads become; no session lives so long. */
  readonly uploadAge: number;
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
  /** Identity of the pass: makes the two-run rule and the filter's salt. */
  readonly pass: number;
  /** Set once a foreign write was seen: then no blob data is deleted in this pass. */
  foreign: boolean;
}

/** Whether an object is older than `age`, by R2's time of its writing. */
export function isOlder(collector: Collector, object: R2Object, age: number): boolean {
  return collector.store.clock.now() - object.uploaded.getTime() > age;
}

/** Sweeps a batch unless this is a dry run, and counts what went. */
export async function sweepBatch(
  collector: Collector,
  verify: () => Promise<Ranks>,
  count: (ranks: Ranks) => void,
): Promise<void> {
  let found: Ranks = [];
  const remember = async () => {
    found = await verify();
    return found;
  };
  if (collector.dryRun) {
    await remember();
    count(found);
    return;
  }
  const outcome = await sweep(collector.unmetered, remember);
  if (outcome === "done") count(found);
  else note(collector.report, outcome === "busy" ? "another collector was at work" : "a batch took too long");
}

/** A repository's thing, as notes name it. */
export function described(name: RepositoryName, what: string, digest: Digest | string): string {
  return `${name}: ${what} ${digest}`;
}
