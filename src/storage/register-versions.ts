import type { RepositoryName, Tag } from "../oci/name.ts";
import { mapBounded } from "./bounded.ts";
import type { Version } from "./register.ts";
import type { Store } from "./store.ts";
import { readTagHead } from "./tag-register.ts";

/** A list is paid for like so many reads. */
const readsOfAList = 13;

/**
 * The versions that the registers of tags have now. Where the tags lie close together in the repository, a list
 * tells up to 1,000 of them; the others are read one by one.
 */
export async function registerVersions(
  store: Store,
  name: RepositoryName,
  tags: readonly Tag[],
): Promise<ReadonlyMap<string, Version>> {
  const versions = new Map<string, Version>();
  const single: Tag[] = [];
  let rest = tags.toSorted((a, b) => (a < b ? -1 : 1));
  while (rest.length > readsOfAList) {
    const [first, ...others] = rest;
    if (first === undefined) break;
    // A list begins after a key.
    single.push(first);
    const { seen, end } = await listAfter(store, name, first);
    rest = others.filter((tag) => end !== undefined && tag > end);
    const shown = others.slice(0, others.length - rest.length);
    for (const tag of shown) versions.set(tag, seen.get(tag));
    if (shown.length < readsOfAList) break;
  }
  await mapBounded([...single, ...rest], store.concurrency, async (tag) => {
    versions.set(tag, (await readTagHead(store, name, tag)).version);
  });
  return versions;
}

/** One page of the registers after a tag, and its last one's tag unless it is the last page. */
async function listAfter(store: Store, name: RepositoryName, tag: Tag) {
  const prefix = store.layout.tags(name);
  const page = await store.bucket.list({ prefix, startAfter: prefix + tag });
  const seen = new Map(page.objects.map(({ key, etag }) => [key.slice(prefix.length), etag]));
  return { seen, end: page.truncated ? page.objects.at(-1)?.key.slice(prefix.length) : undefined };
}
