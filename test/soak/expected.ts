import type { Digest } from "../../src/oci/digest.ts";
import type { RepositoryName, Tag } from "../../src/oci/name.ts";
import { Layout } from "../../src/storage/layout.ts";
import type { Holdings } from "./holdings.ts";

const layout = new Layout();

/** Keys that do not belong to any image: the registry's own. */
const bookkeeping = /\/skerry\/(?:adopt|gc\/(?!orphans\/)|keys)/;

/** What the bucket holds that it should not, and what it lacks, once garbage collection has nothing left to do. */
export function differences(holdings: readonly Holdings[], keys: readonly string[]): readonly string[] {
  const needed = new Set<string>();
  /** Reverse entries stay as long as the image: a tag that once named it may do so again. */
  const allowed = new Set<string>();
  for (const { repository, images, tags, everTagged } of holdings) {
    const name = repository as RepositoryName;
    for (const { image } of images.values()) {
      const digest = image.digest as Digest;
      needed.add(layout.catalog(name)).add(layout.revisionLink(name, digest));
      for (const blob of [image, ...image.blobs]) {
        needed.add(layout.blobData(blob.digest as Digest)).add(layout.owner(blob.digest as Digest, name));
      }
      if (image.subject !== undefined)
        needed.add(layout.referrer(name, image.subject.digest as Digest, digest));
      for (const blob of image.blobs) needed.add(layout.layerLink(name, blob.digest as Digest));
      for (const tag of everTagged.get(digest) ?? []) allowed.add(layout.tagged(name, digest, tag as Tag));
    }
    for (const [text, { image }] of tags) {
      const tag = text as Tag;
      needed.add(layout.tag(name, tag)).add(layout.currentLink(name, tag));
      needed.add(layout.tagged(name, image.digest as Digest, tag));
    }
  }
  const found = new Set(keys);
  return [
    ...[...needed].filter((key) => !found.has(key)).map((key) => `missing: ${key}`),
    ...keys
      .filter((key) => !needed.has(key) && !allowed.has(key) && !bookkeeping.test(key))
      .map((key) => `left over: ${key}`),
  ];
}
