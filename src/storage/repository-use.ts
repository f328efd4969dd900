import type { RepositoryName } from "../oci/name.ts";
import { linkOf } from "./link.ts";
import type { Store } from "./store.ts";

/** What the blobs of a repository take. */
export interface RepositoryUse {
  readonly name: RepositoryName;
  /** Blobs that the repository links, and their bytes. What other repositories link too is stored once. */
  readonly blobs: number;
  readonly bytes: number;
  /** Whether there are, or may be, more than one list of R2 told of. */
  readonly more: boolean;
}

/**
 * What the blobs of a repository take: one list of R2, at most 1,000 blobs, since their links carry their sizes. A
 * link that distribution wrote does not, and counts as more.
 */
export async function repositoryUse(store: Store, name: RepositoryName): Promise<RepositoryUse> {
  const page = await store.bucket.list({
    prefix: store.layout.layerLinks(name),
    include: ["customMetadata"],
  });
  let blobs = 0;
  let bytes = 0;
  let more = page.truncated;
  for (const object of page.objects) {
    const key = store.layout.parse(object.key);
    if (key?.kind !== "layerLink") continue;
    const link = linkOf(object, key.digest);
    if (link !== undefined && link.target === undefined) continue;
    blobs++;
    bytes += link?.size ?? 0;
    more ||= link === undefined;
  }
  return { name, blobs, bytes, more };
}

/** How many manifests a repository has: one list of R2, at most 1,000. */
export async function countManifests(
  store: Store,
  name: RepositoryName,
): Promise<{ readonly manifests: number; readonly more: boolean }> {
  const page = await store.bucket.list({
    prefix: store.layout.revisionLinks(name),
    include: ["customMetadata"],
  });
  const live = page.objects.filter((object) => {
    const key = store.layout.parse(object.key);
    if (key?.kind !== "revisionLink") return false;
    const link = linkOf(object, key.digest);
    return link === undefined || link.target !== undefined;
  });
  return { manifests: live.length, more: page.truncated };
}
