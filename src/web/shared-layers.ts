import type { Digest } from "../oci/digest.ts";
import type { ImageManifest } from "../oci/manifest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { linuxAmd64Child } from "../oci/platform.ts";
import { mapBounded } from "../storage/bounded.ts";
import { metered, OutOfOperations } from "../storage/metered-bucket.ts";
import type { NearContent } from "../storage/near-content.ts";
import { type ListedTag, listTags } from "../storage/tag-list.ts";
import { childPlatform, readParsed } from "./tag-rows.ts";

/** Other tags whose layers are looked at: the newest. */
export const compared = 20;
/** Lists of R2 that finding them may take, and tags among which they are the newest. */
const lists = 12;
const among = 1000;

/** By layer, the other tags that have it. */
export type SharedLayers = ReadonlyMap<Digest, readonly Tag[]>;

/**
 * Which layers of an image other tags of the repository have too: the newest 20 among the first 1,000 by name, one or
 * two manifests for each.
 * @param platform of the image; of an index, its image for the same platform is compared.
 */
export async function sharedLayers(
  near: NearContent,
  name: RepositoryName,
  digest: Digest,
  platform: string,
): Promise<SharedLayers> {
  const shared = new Map<Digest, Tag[]>();
  const tags = (await newestTags(near, name))
    .filter(({ target }) => target.digest !== digest)
    .slice(0, compared);
  const images = await mapBounded(tags, near.store.concurrency, ({ target }) =>
    imageOf(near, name, target.digest, platform, digest),
  );
  for (const [index, image] of images.entries()) {
    const tag = tags[index]?.tag;
    if (image === undefined || tag === undefined) continue;
    for (const layer of new Set(image.layers.map((each) => each.digest))) {
      shared.set(layer, [...(shared.get(layer) ?? []), tag]);
    }
  }
  return shared;
}

async function newestTags(near: NearContent, name: RepositoryName): Promise<readonly ListedTag[]> {
  try {
    const { tags } = await listTags(metered(near.store, lists), name, among, undefined);
    return tags.toSorted((a, b) => b.at - a.at);
  } catch (error) {
    if (error instanceof OutOfOperations) return [];
    throw error;
  }
}

/** The image of a tag for a platform; undefined if that is `digest` itself. */
async function imageOf(
  near: NearContent,
  name: RepositoryName,
  of: Digest,
  platform: string,
  digest: Digest,
): Promise<ImageManifest | undefined> {
  const manifest = await readParsed(near, name, of);
  if (manifest?.kind !== "index") return manifest;
  const child =
    manifest.manifests.find((each) => platform !== "" && childPlatform(each) === platform) ??
    linuxAmd64Child(manifest);
  if (child === undefined || child.digest === digest) return undefined;
  const image = await readParsed(near, name, child.digest);
  return image?.kind === "image" ? image : undefined;
}
