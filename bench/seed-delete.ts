import { type Digest, tryParseDigest } from "../src/oci/digest.ts";
import { type RepositoryName, tryParseTag } from "../src/oci/name.ts";
import { mapBounded } from "../src/storage/bounded.ts";
import type { Layout } from "../src/storage/layout.ts";
import type { Bucket } from "../src/storage/ports.ts";

/** How distribution bounds its work: `storage.tag.concurrencylimit`, and the CPUs of its machine (B10, B11). */
export interface SeedLimits {
  readonly lookup: number;
  readonly untag: number;
}

/**
 * What distribution does with an object store when a manifest is deleted by digest (A90, B1 to B5): for comparison,
 * faults included. Every tag of the repository is read, and a tag is removed by a listing of all keys that begin
 * with it.
 * @returns how many tags it removed.
 */
export async function seedDelete(
  bucket: Bucket,
  layout: Layout,
  name: RepositoryName,
  digest: Digest,
  limits: SeedLimits,
): Promise<number> {
  await bucket.get(layout.revisionLink(name, digest));
  await bucket.head(layout.blobData(digest));
  await removeTree(bucket, layout.revisionLink(name, digest).replace(/\/link$/, ""));

  const tags = await allTags(bucket, layout.currentLinks(name));
  const named = await mapBounded(tags, limits.lookup, async (tag) => {
    const parsed = tryParseTag(tag);
    const link = parsed && (await bucket.get(layout.currentLink(name, parsed)));
    return link ? tryParseDigest(await link.text()) : undefined;
  });
  const matching = tags.filter((_, index) => named[index] === digest);
  await mapBounded(matching, limits.untag, (tag) => removeTree(bucket, layout.currentLinks(name) + tag));
  return matching.length;
}

/** Every tag of the repository (B1): a list of folders, 1,000 on a page. */
export async function allTags(bucket: Bucket, prefix: string): Promise<string[]> {
  const tags: string[] = [];
  let cursor: string | undefined;
  do {
    const page: R2Objects = await bucket.list({ prefix, delimiter: "/", ...(cursor && { cursor }) });
    tags.push(...page.delimitedPrefixes.map((folder) => folder.slice(prefix.length, -1)));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return tags.sort();
}

/** The listing has no slash at its end: tag `1` lists the keys of `10` too, and leaves them out again (B4, B21). */
async function removeTree(bucket: Bucket, path: string): Promise<void> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page: R2Objects = await bucket.list({ prefix: path, ...(cursor && { cursor }) });
    keys.push(...page.objects.map(({ key }) => key).filter((key) => key.startsWith(`${path}/`)));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  if (keys.length > 0) await bucket.delete(keys);
}
