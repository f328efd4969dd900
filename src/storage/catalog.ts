import { type RepositoryName, tryParseRepositoryName } from "../oci/name.ts";
import { whenWritable } from "./register.ts";
import type { Store } from "./store.ts";

/** Whether a manifest was ever pushed to the repository: one read. */
export async function isInCatalog(store: Store, name: RepositoryName): Promise<boolean> {
  return (await store.bucket.head(store.layout.catalog(name))) !== null;
}

/** Lists a repository to which another registry pushed a manifest, unless it is listed. */
export async function listAdopted(store: Store, name: RepositoryName): Promise<void> {
  if (await isInCatalog(store, name)) return;
  const key = store.layout.catalog(name);
  await whenWritable(store, () => store.bucket.put(key, "", { customMetadata: { adopted: "1" } }));
}

/**
 * The repositories after `last` in byte order.
 * @param limit at most so many, 1 and more.
 * @param isVisible whether the caller may know of a repository.
 */
export async function listRepositories(
  store: Store,
  limit: number,
  last: string | undefined,
  isVisible: (name: RepositoryName) => boolean,
): Promise<{ readonly names: readonly RepositoryName[]; readonly more: boolean }> {
  const prefix = store.layout.catalogs();
  const names: RepositoryName[] = [];
  let startAfter = last === undefined ? undefined : prefix + last;
  for (;;) {
    const page = await store.bucket.list({ prefix, ...(startAfter !== undefined && { startAfter }) });
    for (const { key } of page.objects) {
      startAfter = key;
      const name = tryParseRepositoryName(key.slice(prefix.length));
      if (name === undefined || !isVisible(name)) continue;
      if (names.length >= limit) return { names, more: true };
      names.push(name);
    }
    if (!page.truncated) return { names, more: false };
  }
}
