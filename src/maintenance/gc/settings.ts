import type { GcPolicy } from "./collector.ts";
import type { GcStep } from "./run.ts";

const hour = 3600 * 1000;
const day = 24 * hour;

/** How old segments of uploads become: a day longer than a session's URL is taken. */
const uploadAge = 8 * day;

/** What the configuration says of garbage collection. */
export interface GcConfig {
  readonly gcGraceHours: number;
  readonly gcTombstoneDays: number;
  readonly operationsPerRequest: number;
  readonly foreignWrites: NonNullable<GcPolicy["foreignWrites"]>;
}

/** A step by the configuration. @param every milliseconds that must lie between the beginnings of two passes. */
export function gcStep(
  config: GcConfig,
  options: { readonly every: number; readonly dryRun?: boolean },
): GcStep {
  return {
    policy: {
      grace: config.gcGraceHours * hour,
      keepTombstones: config.gcTombstoneDays * day,
      uploadAge,
      foreignWrites: config.foreignWrites,
    },
    operations: config.operationsPerRequest,
    ...options,
  };
}
