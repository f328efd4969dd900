import { type RepositoryName, tryParseRepositoryName } from "../oci/name.ts";
import { isTooManyWrites } from "./r2-error.ts";
import { whenWritable } from "./register.ts";
import type { Store } from "./store.ts";

/** Whether a manifest was ever pushed to the repository: one read. */
export async function isInCatalog(store: Store, name: RepositoryName): Promise<boolean> {
  return (await store.bucket.head(store.layout.catalog(name))) !== null;
}

/**
 * Has garbage collection visit a repository in which there may be no manifest: one read where there is one, else two
 * and at times a write.
 */
export async function noteForCollection({ bucket, layout }: Store, name: RepositoryName): Promise<void> {
  if ((await bucket.head(layout.catalog(name))) !== null) return;
  const key = layout.gcRepository(name);
  if ((await bucket.head(key)) !== null) return;
  try {
    await bucket.put(key, "");
  } catch (error) {
    // Others note the same repository at this moment.
    if (!isTooManyWrites(error)) throw error;
  }
}

/** Lists a repository to which another registry pushed a manifest, unless it is listed. */
export async function listAdopted(store: Store, name: RepositoryName): Promise<void> {
  if (await isInCatalog(store, name)) return;
  const key = store.layout.catalog(name);
  await whenWritable(store, () => store.bucket.put(key, "", { customMetadata: { adopted: "1" } }));
}

/** A part of the catalog. */
export interface CatalogPage {
  readonly names: readonly RepositoryName[];
  /** Whether there are, or may be, more repositories. */
  readonly more: boolean;
  /** The last name that was looked at, visible or not; undefined if there was none. */
  readonly seen: string | undefined;
}

/**
 * The repositories after `last` in byte order.
 * @param limit at most so many, 1 and more.
 * @param isVisible whether the caller may know of a repository, or wants to.
 * @param lists pages of R2 that are looked through at most, 1 and more.
 */
export async function listRepositories(
  store: Store,
  limit: number,
  last: string | undefined,
  isVisible: (name: RepositoryName) => boolean,
  lists = Number.POSITIVE_INFINITY,
): Promise<CatalogPage> {
  const prefix = store.layout.catalogs();
  const names: RepositoryName[] = [];
  let seen = last;
  for (let round = 0; round < lists; round++) {
    const page = await store.bucket.list({
      prefix,
      ...(seen !== undefined && { startAfter: prefix + seen }),
    });
    for (const { key } of page.objects) {
      const name = tryParseRepositoryName(key.slice(prefix.length));
      if (name !== undefined && isVisible(name)) {
        if (names.length >= limit) return { names, more: true, seen };
        names.push(name);
      }
      seen = key.slice(prefix.length);
    }
    if (!page.truncated) return { names, more: false, seen };
  }
  return { names, more: true, seen };
}
