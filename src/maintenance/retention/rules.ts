import * as v from "valibot";
import type { RepositoryName } from "../../oci/name.ts";
import { matchesWildcard } from "../../oci/wildcard.ts";

/** Which tags of a repository stay: those for which this holds. */
export type Keep =
  | { readonly newest: number; readonly of?: readonly string[] | undefined }
  | { readonly newerThanDays: number }
  | { readonly tags: readonly string[] }
  | { readonly pulledWithinDays: number }
  | { readonly any: readonly Keep[] }
  | { readonly all: readonly Keep[] };

/** What happens to manifests that no tag names. */
export interface Untagged {
  /** Hours from when a pass first saw that until the manifest may go; never less than the grace. */
  readonly keepHours: number;
  /** Days for which one that is pulled by its digest stays. */
  readonly pulledWithinDays?: number | undefined;
}

/** What may go of the repositories that it is for. */
export interface RetentionRule {
  /** Patterns of repository names. */
  readonly repositories: readonly string[];
  /** Undefined: every tag stays. */
  readonly keep?: Keep | undefined;
  /** Patterns of tags that stay whatever `keep` says. */
  readonly protect: readonly string[];
  /** Undefined: manifests without a tag stay. */
  readonly untagged?: Untagged | undefined;
}

/** A tag list with more candidates than this for `newest` would take too much of an isolate's memory. */
const maxNewest = 10_000;

const pattern = v.pipe(v.string(), v.minLength(1), v.maxLength(300));
const patterns = v.pipe(v.array(pattern), v.minLength(1));
const days = v.pipe(v.number(), v.minValue(0), v.maxValue(36_500));

const keep: v.GenericSchema<unknown, Keep> = v.union([
  v.strictObject({
    newest: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxNewest)),
    of: v.optional(patterns),
  }),
  v.strictObject({ newerThanDays: days }),
  v.strictObject({ tags: patterns }),
  v.strictObject({ pulledWithinDays: days }),
  v.strictObject({ any: v.pipe(v.array(v.lazy(() => keep)), v.minLength(1)) }),
  v.strictObject({ all: v.pipe(v.array(v.lazy(() => keep)), v.minLength(1)) }),
]);

const rules = v.array(
  v.strictObject({
    repositories: patterns,
    keep: v.optional(keep),
    protect: v.optional(v.array(pattern), []),
    untagged: v.optional(
      v.strictObject({
        keepHours: v.pipe(v.number(), v.minValue(0), v.maxValue(24 * 36_500)),
        pulledWithinDays: v.optional(days),
      }),
    ),
  }),
);

/**
 * The rules of RETENTION, as JSON; none for an empty text.
 * @throws Error that says where it is wrong.
 */
export function parseRetention(text: string): readonly RetentionRule[] {
  if (text === "") return [];
  const result = v.safeParse(rules, JSON.parse(text));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new Error(`${v.getDotPath(issue) ?? "the list"}: ${issue.message}`);
}

/** The rule for a repository: the first whose patterns match; undefined: nothing of it goes. */
export function ruleFor(list: readonly RetentionRule[], name: RepositoryName): RetentionRule | undefined {
  return list.find(({ repositories }) => repositories.some((pattern) => matchesWildcard(pattern, name)));
}

/** Whether the rule asks when something was last pulled. */
export function asksForPulls({ keep, untagged }: RetentionRule): boolean {
  return untagged?.pulledWithinDays !== undefined || (keep !== undefined && keepAsksForPulls(keep));
}

export function keepAsksForPulls(keep: Keep): boolean {
  if ("any" in keep) return keep.any.some(keepAsksForPulls);
  if ("all" in keep) return keep.all.some(keepAsksForPulls);
  return "pulledWithinDays" in keep;
}
