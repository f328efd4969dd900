import { type RepositoryName, type Tag, tryParseTag } from "../oci/name.ts";
import { isInCatalog } from "./catalog.ts";
import { DamagedTag, readDamagedTag } from "./damaged-tag.ts";
import { listLegacyTagNames } from "./legacy-tags.ts";
import type { Store } from "./store.ts";
import { type TagHead, type TagTarget, tagHeadOf } from "./tag-register.ts";

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
  /** Whether a tag was seen, removed ones included: if not, the repository may be unknown. */
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
  let known = false;
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
      const { target, at } = tagHeadOf(object) ?? (await readTagOrNothing(store, name, tag));
      if (target === undefined) continue;
      if (tags.length >= limit) return { tags, more: true, known };
      tags.push({ tag, target, at });
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return { tags, more: false, known };
}

/** A tag of which nothing can be read names nothing. */
async function readTagOrNothing(store: Store, name: RepositoryName, tag: Tag): Promise<TagHead> {
  try {
    return await readDamagedTag(store, name, tag);
  } catch (error) {
    if (error instanceof DamagedTag) return { version: undefined, at: 0 };
    throw error;
  }
}

/** Names of tags. */
export interface TagNamesPage {
  readonly tags: readonly Tag[];
  /** Whether there are more tags after the last one. */
  readonly more: boolean;
  /** Whether there is such a repository. */
  readonly known: boolean;
}

/**
 * The names of the tags after `last` in ASCII order, as listTags. In a repository that is not in the catalog, so
 * that nobody has pushed to it or adopted it, those of the tags that distribution left there.
 */
export async function listTagNames(
  store: Store,
  name: RepositoryName,
  limit: number,
  last: string | undefined,
): Promise<TagNamesPage> {
  const { tags, more, known } = await listTags(store, name, limit, last);
  if (tags.length > 0) return { tags: tags.map(({ tag }) => tag), more, known };
  if (await isInCatalog(store, name)) return { tags: [], more: false, known: true };
  const legacy = await listLegacyTagNames(store, name, limit, last);
  return { ...legacy, known: known || legacy.known };
}
