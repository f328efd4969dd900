import { matchesTag, type TagPattern } from "../../storage/tag-pattern.ts";
import type { RetentionRule } from "../retention/rules.ts";
import type { GcPolicy, Retention } from "./collector.ts";
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
  readonly retention: readonly RetentionRule[];
  readonly immutableTags: readonly TagPattern[];
}

/** A step by the configuration. @param every milliseconds that must lie between the beginnings of two passes. */
export function gcStep(config: GcConfig, options: Pick<GcStep, "every" | "dryRun" | "onExpired">): GcStep {
  return {
    policy: {
      grace: config.gcGraceHours * hour,
      keepTombstones: config.gcTombstoneDays * day,
      uploadAge,
      foreignWrites: config.foreignWrites,
      retention: retentionOf(config),
    },
    operations: config.operationsPerRequest,
    ...options,
  };
}

/** What retention goes by. */
export function retentionOf({ retention, immutableTags }: GcConfig): Retention {
  return { rules: retention, isImmutable: (name, tag) => matchesTag(immutableTags, name, tag) };
}
