import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type ImageManifest, manifestOf } from "../oci/manifest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { linuxAmd64Child } from "../oci/platform.ts";
import { mapBounded } from "../storage/bounded.ts";
import { metered, OutOfOperations } from "../storage/metered-bucket.ts";
import type { NearContent } from "../storage/near-content.ts";
import { type ListedTag, listTags } from "../storage/tag-list.ts";
import { platformText, readImageConfig } from "./image-config.ts";

/** Tags on a page. */
export const pageSize = 25;
/** Lists of R2 that sorting may take: at 1,000 tags a list on R2, more than any sorted page needs. */
const sortingLists = 120;
/** Tags that can be sorted by time: more would cost each view of the page more lists. */
const sortable = 10_000;
/** Manifests that are read to sort by size. */
const sizeable = 100;

export type TagOrder = "time" | "name" | "size";

/** What a page shows of the manifest of a tag. */
export interface ManifestFacts {
  /** `linux/amd64` and so on; empty if the manifest says nothing of platforms. */
  readonly platforms: readonly string[];
  /** Bytes of what a pull fetches: of an index, its linux/amd64 image or else its first. Undefined if not known. */
  readonly size: number | undefined;
}

/** A page of tags. */
export interface TagRows {
  readonly tags: readonly ListedTag[];
  /** Whether the repository ever had a tag. */
  readonly known: boolean;
  /** How the tags are ordered, which may be another way than was asked for. */
  readonly order: TagOrder;
  /** The `after` of the next page; undefined for the last one. */
  readonly next: string | undefined;
  /** What the order does not take into account; "" if nothing. */
  readonly limit: string;
}

/**
 * A page of the tags of a repository: by name one list; else as many as the first 10,000 tags take (10 on R2), and
 * by size the manifests of the newest 100. Where even that is too much, by name.
 * @param after the `next` of the page before.
 */
export async function tagRows(
  near: NearContent,
  name: RepositoryName,
  order: TagOrder,
  after: string | undefined,
): Promise<TagRows> {
  if (order === "name") return byName(near, name, after, "");
  const all = await sortableTags(near, name);
  if (all === undefined) return byName(near, name, after, "There are too many tags to sort them otherwise.");
  const newest = all.tags.toSorted((a, b) => b.at - a.at || (a.tag < b.tag ? -1 : 1));
  const limit = all.more ? `Sorted among the first ${sortable.toLocaleString("en")} tags by name.` : "";
  const start = /^\d{1,6}$/.test(after ?? "") ? Number(after) : 0;
  if (order === "time") return { ...slice(newest, start), known: all.known, order, limit };
  const some = newest.slice(0, sizeable);
  const facts = await manifestFacts(
    near,
    name,
    some.map(({ target }) => target.digest),
  );
  const sizeOf = ({ target }: ListedTag) => facts.get(target.digest)?.size ?? -1;
  const sized = some.toSorted((a, b) => sizeOf(b) - sizeOf(a));
  const sizeLimit = newest.length > sizeable ? `Sorted among the newest ${sizeable} tags.` : "";
  return { ...slice(sized, start), known: all.known, order, limit: sizeLimit };
}

/** Platforms and sizes of manifests: each is read once, and a manifest or a configuration more for it. */
export async function manifestFacts(
  near: NearContent,
  name: RepositoryName,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, ManifestFacts>> {
  const distinct = [...new Set(digests)];
  const facts = await mapBounded(distinct, near.store.concurrency, (digest) => factsOf(near, name, digest));
  return new Map(distinct.map((digest, index) => [digest, facts[index] ?? nothing]));
}

const nothing: ManifestFacts = { platforms: [], size: undefined };

async function factsOf(near: NearContent, name: RepositoryName, digest: Digest): Promise<ManifestFacts> {
  const manifest = await readParsed(near, name, digest);
  if (manifest === undefined) return nothing;
  if (manifest.kind === "image") {
    const config = await readImageConfig(near, name, manifest.config);
    return { platforms: config?.platform ? [config.platform] : [], size: imageSize(manifest) };
  }
  const children = manifest.manifests.filter((child) => childPlatform(child) !== "");
  const first = linuxAmd64Child(manifest) ?? children[0];
  const child = first && (await readParsed(near, name, first.digest));
  return {
    platforms: [...new Set(children.map(childPlatform))],
    size: child?.kind === "image" ? imageSize(child) : undefined,
  };
}

/** The platform of a child of an index; "" for what runs nowhere, such as an attestation of BuildKit. */
export function childPlatform({ platform }: Descriptor): string {
  if (platform === undefined || platform.os === "unknown") return "";
  return platformText(platform.os, platform.architecture, platform.variant);
}

/** Bytes that a pull of the image fetches beside the manifest. */
export function imageSize({ config, layers }: ImageManifest): number {
  return layers.reduce((sum, { size }) => sum + size, config?.size ?? 0);
}

/** A manifest of the repository as it is read; undefined if it is not there or none. */
export async function readParsed(near: NearContent, name: RepositoryName, digest: Digest) {
  const stored = await near.manifest(name, digest);
  return stored && manifestOf(stored.bytes);
}

async function byName(
  near: NearContent,
  name: RepositoryName,
  after: string | undefined,
  limit: string,
): Promise<TagRows> {
  const { tags, more, known } = await listTags(near.store, name, pageSize, after);
  return { tags, known, order: "name", next: more ? tags.at(-1)?.tag : undefined, limit };
}

async function sortableTags(near: NearContent, name: RepositoryName) {
  try {
    return await listTags(metered(near.store, sortingLists), name, sortable, undefined);
  } catch (error) {
    if (error instanceof OutOfOperations) return undefined;
    throw error;
  }
}

function slice(tags: readonly ListedTag[], start: number): Pick<TagRows, "tags" | "next"> {
  const end = start + pageSize;
  return { tags: tags.slice(start, end), next: tags.length > end ? String(end) : undefined };
}
