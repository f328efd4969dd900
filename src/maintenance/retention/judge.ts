import type { Tag } from "../../oci/name.ts";
import { matchesWildcard } from "../../oci/wildcard.ts";
import { type Dated, Newest } from "./newest.ts";
import type { Keep, RetentionRule } from "./rules.ts";

const day = 24 * 3600 * 1000;

/** A tag before its judge. Times are Unix times in milliseconds. */
export interface Judged extends Dated {
  /** When it was last pulled, as far as is known. */
  readonly pulledAt: number;
  readonly isImmutable: boolean;
}

export interface Verdict {
  readonly keeps: boolean;
  /** The part of the rule that keeps the tag, or all that do not. */
  readonly because: string;
}

/** Judges the tags of one repository by its rule, once it has seen all of them. */
export class Judge {
  readonly #rule: RetentionRule;
  readonly #now: number;
  readonly #newest = new Map<Keep, Newest>();

  /** @param now Unix time in milliseconds. */
  constructor(rule: RetentionRule, now: number) {
    this.#rule = rule;
    this.#now = now;
    for (const leaf of rule.keep === undefined ? [] : leavesOf(rule.keep))
      if ("newest" in leaf) this.#newest.set(leaf, new Newest(leaf.newest, leaf.of));
  }

  /** Whether every tag has to be seen before the first is judged. */
  get mustSeeAll(): boolean {
    return this.#newest.size > 0;
  }

  see(dated: Dated): void {
    for (const newest of this.#newest.values()) newest.add(dated);
  }

  judge(tag: Judged): Verdict {
    const { keep, protect } = this.#rule;
    if (keep === undefined) return { keeps: true, because: "the rule drops no tags" };
    if (tag.isImmutable) return { keeps: true, because: "immutable" };
    if (matches(protect, tag.tag)) return { keeps: true, because: "protected" };
    const reason = this.#reasonToKeep(keep, tag);
    return reason === undefined
      ? { keeps: false, because: `not ${describe(keep)}` }
      : { keeps: true, because: reason };
  }

  /** What of `keep` holds for the tag; undefined if it does not hold. */
  #reasonToKeep(keep: Keep, tag: Judged): string | undefined {
    if ("any" in keep) {
      for (const part of keep.any) {
        const reason = this.#reasonToKeep(part, tag);
        if (reason !== undefined) return reason;
      }
      return undefined;
    }
    if ("all" in keep) {
      const reasons = keep.all.map((part) => this.#reasonToKeep(part, tag));
      return reasons.includes(undefined) ? undefined : reasons.join(" and ");
    }
    return this.#holds(keep, tag) ? describe(keep) : undefined;
  }

  #holds(leaf: Exclude<Keep, { any: unknown } | { all: unknown }>, tag: Judged): boolean {
    if ("newest" in leaf) return this.#newest.get(leaf)?.has(tag) ?? false;
    if ("newerThanDays" in leaf) return this.#now - tag.at < leaf.newerThanDays * day;
    if ("pulledWithinDays" in leaf) return this.#now - tag.pulledAt < leaf.pulledWithinDays * day;
    return matches(leaf.tags, tag.tag);
  }
}

function describe(keep: Keep): string {
  if ("any" in keep) return `(${keep.any.map(describe).join(" or ")})`;
  if ("all" in keep) return `(${keep.all.map(describe).join(" and ")})`;
  if ("newest" in keep) return `among the newest ${keep.newest}${keep.of ? ` of ${keep.of.join(" ")}` : ""}`;
  if ("newerThanDays" in keep) return `newer than ${keep.newerThanDays} days`;
  if ("pulledWithinDays" in keep) return `pulled within ${keep.pulledWithinDays} days`;
  return `named ${keep.tags.join(" ")}`;
}

function* leavesOf(keep: Keep): Generator<Keep> {
  const parts = "any" in keep ? keep.any : "all" in keep ? keep.all : undefined;
  if (parts === undefined) yield keep;
  else for (const part of parts) yield* leavesOf(part);
}

function matches(patterns: readonly string[], tag: Tag): boolean {
  return patterns.some((pattern) => matchesWildcard(pattern, tag));
}
