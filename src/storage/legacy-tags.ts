import { type Digest, tryParseDigest } from "../oci/digest.ts";
import { type RepositoryName, type Tag, tryParseTag } from "../oci/name.ts";
import type { Store } from "./store.ts";
import { readTag, type TagState } from "./tag-register.ts";

/**
 * Tags that distribution wrote and nobody has adopted yet: a `current/link` without a register. A register, even
 * a tombstone, always has the last word over the link.
 */
export interface LegacyTag {
  readonly digest: Digest;
  /** When the link was written; Unix time in milliseconds. */
  readonly at: number;
}

/** Whether all that distribution left in the bucket was adopted: one read. */
export async function isAdopted(store: Store): Promise<boolean> {
  const state = await store.bucket.get(store.layout.adoptState());
  return state !== null && (await state.json<{ readonly done?: boolean }>()).done === true;
}

/** What distribution's link says: one read. undefined if there is none, or it is no digest (M5). */
export async function readLegacyTag(
  store: Store,
  name: RepositoryName,
  tag: Tag,
): Promise<LegacyTag | undefined> {
  const link = await store.bucket.get(store.layout.currentLink(name, tag));
  if (link === null) return undefined;
  const digest = tryParseDigest(await link.text());
  return digest && { digest, at: link.uploaded.getTime() };
}

/**
 * The tag, where nobody has adopted it yet: what distribution's link says, for a register that is not there. Its
 * version is undefined, so that the first swap creates the register and loses to any other writer.
 */
export async function withLegacyTag(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  state: TagState,
): Promise<TagState> {
  if (state.version !== undefined) return state;
  const legacy = await readLegacyTag(store, name, tag);
  return legacy === undefined ? state : legacyState(legacy);
}

// Links of distribution have no generation, and what they name is typed and measured by its revision.
function legacyState(legacy: LegacyTag): TagState {
  const target = { digest: legacy.digest, generation: "", mediaType: "", size: 0 };
  return { version: undefined, at: legacy.at, target, history: [legacy] };
}

/**
 * The tag, if distribution's link names `digest`; otherwise as if it had never been set. One read, two if it does.
 * Without a register the version is undefined, so that the first swap creates one and loses to any other writer.
 */
export async function readTagNaming(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  digest: Digest,
): Promise<TagState> {
  const legacy = await readLegacyTag(store, name, tag);
  if (legacy?.digest !== digest) return { version: undefined, at: 0, history: [] };
  const state = await readTag(store, name, tag);
  if (state.version !== undefined) return state;
  return legacyState(legacy);
}

/** Tags as one list shows them. */
export interface LegacyPage {
  readonly tags: readonly Tag[];
  /** Where the next page goes on; undefined on the last. */
  readonly next: string | undefined;
}

/**
 * The tags that distribution has a folder for, up to 1,000 of those after `after`, in the order in which R2 lists
 * the folders: one list. Some may have no `current/link` (B1), and all of Skerry's own are among them.
 */
export async function listLegacyTags(
  store: Store,
  name: RepositoryName,
  after: string | undefined,
): Promise<LegacyPage> {
  const prefix = store.layout.currentLinks(name);
  const listed = await store.bucket.list({
    prefix,
    delimiter: "/",
    // "0" follows "/", so that this is behind everything in the folder of `after`.
    ...(after !== undefined && { startAfter: `${prefix}${after}0` }),
  });
  const folders = listed.delimitedPrefixes.map((folder) => folder.slice(prefix.length, -1));
  const tags = folders.flatMap((folder) => tryParseTag(folder) ?? []);
  return { tags, next: listed.truncated ? folders.at(-1) : undefined };
}

/**
 * The names of the tags with a `current/link` after `last`, in ASCII order: every link of the repository is
 * listed for each page, since R2's order differs (`1-alpine/` comes before `1/`).
 * @param limit at most so many, 1 and more; Infinity for all.
 */
export async function listLegacyTagNames(
  store: Store,
  name: RepositoryName,
  limit: number,
  last: string | undefined,
): Promise<{ readonly tags: readonly Tag[]; readonly more: boolean; readonly known: boolean }> {
  const prefix = store.layout.currentLinks(name);
  const tags: Tag[] = [];
  let known = false;
  let cursor: string | undefined;
  do {
    const page: R2Objects = await store.bucket.list({ prefix, ...(cursor !== undefined && { cursor }) });
    for (const { key } of page.objects) {
      const parsed = store.layout.parse(key);
      if (parsed?.kind !== "currentLink") continue;
      known = true;
      if (last === undefined || parsed.tag > last) tags.push(parsed.tag);
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  const sorted = tags.toSorted((a, b) => (a < b ? -1 : 1));
  return { tags: sorted.slice(0, limit), more: sorted.length > limit, known };
}
