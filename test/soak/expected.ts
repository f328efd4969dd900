import type { Digest } from "../../src/oci/digest.ts";
import type { RepositoryName, Tag } from "../../src/oci/name.ts";
import { Layout } from "../../src/storage/layout.ts";
import { keyOf, type Lane } from "./lane.ts";

const layout = new Layout();

/** Keys that do not belong to any image: the registry's own. */
const bookkeeping = /\/skerry\/(?:adopt|gc\/(?!orphans\/)|keys)/;

/** What the bucket holds that it should not, and what it lacks, once garbage collection has nothing left to do. */
export function differences(lanes: readonly Lane[], keys: readonly string[]): readonly string[] {
  const needed = new Set<string>();
  /** Reverse entries stay as long as the image: a tag that once named it may do so again. */
  const allowed = new Set<string>();
  for (const lane of lanes) {
    for (const image of lane.images.values()) {
      const name = image.repository as RepositoryName;
      const digest = image.digest as Digest;
      needed.add(layout.catalog(name)).add(layout.revisionLink(name, digest));
      for (const blob of [image, ...image.blobs]) {
        needed.add(layout.blobData(blob.digest as Digest)).add(layout.owner(blob.digest as Digest, name));
      }
      for (const blob of image.blobs) needed.add(layout.layerLink(name, blob.digest as Digest));
      for (const tag of lane.everTagged.get(keyOf(image)) ?? []) {
        allowed.add(layout.tagged(name, digest, tag as Tag));
      }
    }
    for (const [key, image] of lane.tags) {
      const [repository, tag] = key.split(" ") as [RepositoryName, Tag];
      needed.add(layout.tag(repository, tag)).add(layout.currentLink(repository, tag));
      needed.add(layout.tagged(repository, image.digest as Digest, tag));
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
