import { type RepositoryName, type Tag, tryParseTag } from "../../oci/name.ts";
import type { Store } from "../../storage/store.ts";
import { type TagHead, type TagTarget, tagHeadOf } from "../../storage/tag-register.ts";
import { ListedInOrder } from "../listed-in-order.ts";
import { pages } from "../pages.ts";
import { Judge, type Verdict } from "./judge.ts";
import { keepAsksForPulls, type RetentionRule } from "./rules.ts";

/** What retention judges tags by besides its rule. */
export interface Evidence {
  /** Whether a tag may only ever name one manifest: it never goes. */
  readonly isImmutable: (name: RepositoryName, tag: Tag) => boolean;
  /** Since when pulls are recorded, Unix time in milliseconds: what was not pulled before may have been. */
  readonly recordedSince: number;
}

/** A tag that is set, and what retention says of it. */
export interface JudgedTag {
  readonly tag: Tag;
  readonly head: TagHead & { readonly target: TagTarget };
  readonly verdict: Verdict;
}

/**
 * Judges the tags of a repository after `last`, page by page of the listing: one list for a page, two if the rule
 * asks for the newest, and one more for each page of pull times if it asks for those. Memory is a page's, and the
 * newest so many tags.
 */
export async function* judgeTags(
  store: Store,
  name: RepositoryName,
  rule: RetentionRule,
  evidence: Evidence,
  last?: string,
): AsyncGenerator<readonly JudgedTag[]> {
  const judge = new Judge(rule, store.clock.now());
  if (judge.mustSeeAll)
    for await (const page of liveTags(store, name))
      for (const { tag, head } of page) judge.see({ tag, at: head.at });
  const pulls = rule.keep && keepAsksForPulls(rule.keep) ? pullTimes(store, name, last) : undefined;
  for await (const page of liveTags(store, name, last)) {
    const judged: JudgedTag[] = [];
    for (const { tag, head } of page) {
      const pull = await pulls?.find(store.layout.pulled(name, tag));
      const pulledAt = Math.max(pull?.uploaded.getTime() ?? 0, head.at, evidence.recordedSince);
      const isImmutable = evidence.isImmutable(name, tag);
      judged.push({ tag, head, verdict: judge.judge({ tag, at: head.at, pulledAt, isImmutable }) });
    }
    yield judged;
  }
}

function pullTimes(store: Store, name: RepositoryName, last: string | undefined): ListedInOrder {
  const prefix = store.layout.pulledTags(name);
  return new ListedInOrder(store, prefix, last === undefined ? undefined : prefix + last);
}

/** Tags that are set; those whose listing does not tell what they name are left out, and so stay. */
async function* liveTags(store: Store, name: RepositoryName, last?: string) {
  const prefix = store.layout.tags(name);
  const startAfter = last === undefined ? undefined : prefix + last;
  for await (const page of pages(store, prefix, { metadata: true, startAfter })) {
    yield page.flatMap((object) => {
      const tag = tryParseTag(object.key.slice(prefix.length));
      const head = tagHeadOf(object);
      const target = head?.target;
      return tag !== undefined && head !== undefined && target !== undefined
        ? [{ tag, head: { ...head, target } }]
        : [];
    });
  }
}
