import { type RepositoryName, type Tag, tryParseTag } from "../oci/name.ts";
import type { Store } from "./store.ts";
import { readTagHead, type TagTarget, tagHeadOf } from "./tag-register.ts";

/** A tag in a listing. */
export interface ListedTag {
  readonly tag: Tag;
  readonly target: TagTarget;
  /** When the tag was set to its target; Unix time in milliseconds. */
  readonly at: number;
}

export interface TagPage {
  readonly tags: readonly ListedTag[];
  /** Whether there are more tags after the last one. */
  readonly more: boolean;
  /** Whether the repository ever had a tag. */
  readonly known: boolean;
}

/**
 * The tags after `last` in ASCII order: one list for each page that R2 returns with metadata.
 * @param limit at most so many, 1 and more; Infinity for all.
 * @param last tags up to and including this one are left out; it need not exist.
 */
export async function listTags(
  store: Store,
  name: RepositoryName,
  limit: number,
  last: string | undefined,
): Promise<TagPage> {
  const prefix = store.layout.tags(name);
  const tags: ListedTag[] = [];
  let known = last !== undefined;
  let cursor: string | undefined;
  let startAfter = last === undefined ? undefined : prefix + last;
  do {
    const page: R2Objects = await store.bucket.list({
      prefix,
      include: ["customMetadata"],
      ...(cursor === undefined ? startAfter !== undefined && { startAfter } : { cursor }),
    });
    startAfter = undefined;
    known ||= page.objects.length > 0;
    for (const object of page.objects) {
      const tag = tryParseTag(object.key.slice(prefix.length));
      if (tag === undefined) continue;
      const { target, at } = tagHeadOf(object) ?? (await readTagHead(store, name, tag));
      if (target === undefined) continue;
      if (tags.length >= limit) return { tags, more: true, known };
      tags.push({ tag, target, at });
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return { tags, more: false, known };
}
