import type { Digest } from "../oci/digest.ts";
import { type RepositoryName, type Tag, tryParseTag } from "../oci/name.ts";
import { readDamagedTag } from "./damaged-tag.ts";
import type { Progress } from "./delete-progress.ts";
import { type LegacyPage, listLegacyTags, readTagNaming } from "./legacy-tags.ts";
import type { MeteredBucket } from "./metered-bucket.ts";
import type { Store } from "./store.ts";
import type { TagState } from "./tag-register.ts";
import { type Fate, untagDead } from "./untag-dead.ts";

/** Tags that are dealt with together. It bounds memory, since all that a tag ever named is read with it. */
const together = 240;
/** Fewer than these are left to the next request: so few would take as many rounds as many. */
const fewest = 12;
/** Operations that tags dealt with together share: a look at the revision, and a delete of their links. */
const shared = 2;
/** The share of the operations that may go into lists that only tell how many tags are left. */
const countingShare = 1 / 20;

type MeteredStore = Store & { readonly bucket: MeteredBucket };

/** How the removal of the tags of a deleted manifest goes. */
export class Removal {
  /** How many tags this request removed. */
  removed = 0;
  /** Tags that could not be removed, because R2 failed or their registers are damaged. */
  readonly failed: Tag[] = [];
  /** How many tags are left for a repeated request, those that failed not counted. */
  left = 0;
  /** From where a repeated request has to go on. */
  progress: Progress;
  /** Whether this request has dealt with any tag. */
  begun = false;
  /** Whether all tags so far are done, so that the progress goes on with each. */
  complete = true;

  readonly #onUntagged: (tag: Tag) => void;

  /**
   * @param start where an earlier request has come to.
   * @param onUntagged told of each tag that is removed.
   */
  constructor(start: Progress, onUntagged: (tag: Tag) => void = () => undefined) {
    this.progress = start;
    this.#onUntagged = onUntagged;
  }

  add(wave: readonly Tag[], fates: readonly Fate[]): void {
    this.begun = true;
    for (const [index, tag] of wave.entries()) {
      const fate = fates[index];
      if (fate === "removed") {
        this.removed += 1;
        this.#onUntagged(tag);
      }
      if (fate === "failed" || fate === "damaged") this.failed.push(tag);
      if (fate === "later") this.left += 1;
      // A damaged tag is told of once; to come back to it would help nobody.
      this.complete &&= fate !== "failed" && fate !== "later";
      if (!this.complete) continue;
      const { phase, left } = this.progress;
      this.progress = { phase, after: tag, left: left === undefined ? undefined : Math.max(left - 1, 0) };
    }
  }
}

/** One way to find the tags of a digest. */
interface Way {
  readonly phase: Progress["phase"];
  /** Operations that a tag takes at most when nobody interferes. */
  readonly cost: number;
  list(store: Store, name: RepositoryName, digest: Digest, after: string | undefined): Promise<LegacyPage>;
  read(store: Store, name: RepositoryName, digest: Digest, tag: Tag): Promise<TagState>;
}

/** The whole repository, as distribution does it: each of its tag links is read. */
const scan: Way = {
  phase: "scan",
  cost: 5,
  list: (store, name, _, after) => listLegacyTags(store, name, after),
  read: (store, name, digest, tag) => readTagNaming(store, name, tag, digest),
};

/** The reverse entries of the digest: a read, a swap, a delete in KV and a look for each. */
const tags: Way = {
  phase: "tags",
  cost: 4,
  list: listTagged,
  read: (store, name, _, tag) => readDamagedTag(store, name, tag),
};

/**
 * Removes the tags that name a life of the digest that is over, as far as the operations go, and tells `removal`.
 * @param resumes whether an earlier request may have left projections behind.
 */
export async function removeTags(
  store: MeteredStore,
  name: RepositoryName,
  digest: Digest,
  removal: Removal,
  resumes: boolean,
): Promise<void> {
  const start = removal.progress;
  const lists = Math.floor(store.bucket.left * countingShare);
  for (const way of start.phase === "scan" ? [scan, tags] : [tags]) {
    let after = way.phase === start.phase ? start.after : undefined;
    if (removal.complete && way.phase !== start.phase) removal.progress = { phase: way.phase, after };
    do {
      if (store.bucket.left === 0) {
        // Not even a list is left to count what remains.
        removal.left += 1;
        return;
      }
      const page = await way.list(store, name, digest, after);
      for (let rest = page.tags; rest.length > 0; ) {
        const room = Math.min(together, Math.floor((store.bucket.left - lists - shared) / way.cost));
        if (room < 1 || (removal.begun && room < Math.min(fewest, rest.length))) {
          return countRest(store, way, name, digest, removal, rest.length, page.next);
        }
        const wave = rest.slice(0, room);
        rest = rest.slice(room);
        const read = (over: Store, tag: Tag) => way.read(over, name, digest, tag);
        removal.add(wave, await untagDead(store, { name, digest, tags: wave, read, resumes }));
      }
      after = page.next;
    } while (after !== undefined);
  }
}

/** The tags that ever named the digest, up to 1,000 of those after `after`: one list. */
/** The tags that ever named the digest, as one list of R2 has them, after `after`. */
export async function listTagged(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  after: string | undefined,
): Promise<LegacyPage> {
  const prefix = store.layout.taggedWith(name, digest);
  const listed = await store.bucket.list({
    prefix,
    ...(after !== undefined && { startAfter: prefix + after }),
  });
  const names = listed.objects.map(({ key }) => key.slice(prefix.length));
  return {
    tags: names.flatMap((tag) => tryParseTag(tag) ?? []),
    next: listed.truncated ? names.at(-1) : undefined,
  };
}

/** Says how many tags are left: as an earlier request counted them, if it did, else by listing the others. */
async function countRest(
  store: MeteredStore,
  way: Way,
  name: RepositoryName,
  digest: Digest,
  removal: Removal,
  listed: number,
  next: string | undefined,
): Promise<void> {
  const { progress, complete } = removal;
  if (complete && progress.left !== undefined) {
    removal.left = Math.max(progress.left, listed);
    return;
  }
  let count = listed;
  let after = next;
  while (after !== undefined && store.bucket.left > 0) {
    const page = await way.list(store, name, digest, after);
    count += page.tags.length;
    after = page.next;
  }
  removal.left += count;
  if (complete && after === undefined) removal.progress = { ...progress, left: removal.left };
}
