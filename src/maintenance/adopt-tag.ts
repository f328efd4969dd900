import { type Digest, tryParseDigest } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { isSameLife, type Link, readLink } from "../storage/link.ts";
import { statManifest } from "../storage/manifests.ts";
import { projectUntilStable } from "../storage/projection.ts";
import { whenWritable } from "../storage/register.ts";
import type { Store } from "../storage/store.ts";
import { readTag, swapTag, type TagState } from "../storage/tag-register.ts";
import { untagIf } from "./adopt-removals.ts";
import type { Adoption } from "./foreign-links.ts";

/** What distribution's `current/link` says. */
interface CurrentLink {
  readonly digest: Digest;
  /** When it was written; Unix time in milliseconds. */
  readonly at: number;
}

/**
 * Makes a register of a tag that distribution wrote, unless there is one (docs/protocols.md "Adopt"). It may run
 * beside requests: whoever of them sets or removes the tag meanwhile has the newer word.
 * @param again a register that is older than what distribution wrote follows it.
 */
export async function adoptTag(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  again: boolean,
): Promise<Adoption> {
  const { bucket, layout } = store;
  const before = await readTag(store, name, tag);
  if (before.version !== undefined && !again) return "kept";
  const link = await readCurrentLink(store, name, tag);
  if (link === undefined) return "unreadable";
  if (before.version !== undefined && !(await wasMovedSince(store, name, tag, before, link))) return "kept";
  const { digest, at } = link;
  const revision = await readLink(store, layout.revisionLink(name, digest), digest);
  if (revision.target === undefined) return "dangling";
  const manifest = await statManifest(store, name, digest);
  if (manifest === undefined) return "dangling";
  await whenWritable(store, () => bucket.put(layout.tagged(name, digest, tag), ""));
  const target = { ...manifest, generation: revision.generation };
  const after = await swapTag(store, name, tag, before, target, at);
  if (after === undefined) return "kept";
  if (!(await isAlive(store, name, digest, revision))) {
    // A delete by digest that looked for tags before the register was made has left it to this.
    await untagIf(store, name, tag, (live) => live === undefined);
  } else if (before.version !== undefined) await projectUntilStable(store, name, tag, after);
  return "adopted";
}

async function readCurrentLink(
  store: Store,
  name: RepositoryName,
  tag: Tag,
): Promise<CurrentLink | undefined> {
  const object = await store.bucket.get(store.layout.currentLink(name, tag));
  const digest = tryParseDigest((await object?.text()) ?? "");
  return object === null || digest === undefined ? undefined : { digest, at: object.uploaded.getTime() };
}

/**
 * Whether distribution moved the tag after Skerry wrote its register. It writes an index entry each time, which
 * Skerry never does; a `current/link` alone may be the projection of a slow request.
 */
async function wasMovedSince(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  register: TagState,
  link: CurrentLink,
): Promise<boolean> {
  if (register.target?.digest === link.digest) return false;
  const entry = await store.bucket.head(store.layout.tagIndexLink(name, tag, link.digest));
  return entry !== null && entry.uploaded.getTime() > register.at;
}

async function isAlive(store: Store, name: RepositoryName, digest: Digest, was: Link): Promise<boolean> {
  const now = await readLink(store, store.layout.revisionLink(name, digest), digest);
  return now.target !== undefined && isSameLife(now.generation, was.generation);
}
