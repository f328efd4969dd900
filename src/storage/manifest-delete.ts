import type { Digest } from "../oci/digest.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { noteProgress, type Progress, parseProgress, printProgress } from "./delete-progress.ts";
import { isAdopted } from "./legacy-tags.ts";
import { type Link, readLink, swapToTombstone } from "./link.ts";
import { Removal, removeTags } from "./manifest-untag.ts";
import { metered } from "./metered-bucket.ts";
import { unlistReferrer } from "./referrer-entry.ts";
import type { Store } from "./store.ts";

/** Operations kept back for the note of how far an unfinished delete has come. */
const reserved = 5;
/** How many of the tags that could not be removed an answer names. */
const named = 100;
const tries = 5;

const beginning: Progress = { phase: "tags", after: undefined };

/**
 * Deletes a manifest by digest (docs/protocols.md "Delete by digest"). One swap of the revision link is the
 * deletion; what follows removes the tags that name it and may be interrupted and resumed by a repeated request.
 * Its cost grows with the tags that ever named the digest; only where distribution wrote the revision are all tags
 * of the repository looked at.
 * @param operations how many R2 and KV operations the platform grants this request: 100 and more.
 * @param onUntagged told of each tag that was removed, even if an error follows.
 * @throws RegistryError MANIFEST_UNKNOWN (404) if there was nothing to do, 503 with the number left when there
 *   are more tags than one request may touch or others are writing them, 500 naming tags that could not be removed.
 */
export async function deleteManifest(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  operations: number,
  onUntagged: (tag: Tag) => void = () => undefined,
): Promise<void> {
  const bounded = metered(store, operations - reserved);
  const { tombstone, resumes } = await kill(bounded, name, digest);
  const removal = new Removal(
    tombstone.untaggedUpTo === undefined ? beginning : parseProgress(tombstone.untaggedUpTo),
    onUntagged,
  );
  try {
    if (tombstone.subject !== undefined) await unlistReferrer(bounded, name, tombstone.subject, digest);
    await removeTags(bounded, name, digest, removal, resumes);
  } catch (error) {
    await noteProgress(store, name, digest, tombstone, removal.progress);
    throw error;
  }
  const { removed, failed, left, progress } = removal;
  if (failed.length > 0 || left > 0) {
    await noteProgress(store, name, digest, tombstone, progress);
    throw unfinished(failed, left);
  }
  if (tombstone.untaggedUpTo !== undefined) await noteProgress(store, name, digest, tombstone, undefined);
  else if (resumes && removed === 0) throw unknown(name, digest);
}

/**
 * Swaps the revision link to a tombstone, or finds that an earlier request has. Where tags that only distribution's
 * links know may name it, the tombstone says that all tags of the repository are to be looked at.
 */
async function kill(
  store: Store,
  name: RepositoryName,
  digest: Digest,
): Promise<{ readonly tombstone: Link; readonly resumes: boolean }> {
  const key = store.layout.revisionLink(name, digest);
  for (let attempt = 0; attempt < tries; attempt++) {
    const revision = await readLink(store, key, digest);
    if (revision.version === undefined) throw unknown(name, digest);
    if (revision.target === undefined) return { tombstone: revision, resumes: true };
    const untaggedUpTo = (await mayHaveLegacyTags(store, revision))
      ? printProgress({ phase: "scan", after: undefined })
      : undefined;
    const version = await swapToTombstone(store, key, revision, untaggedUpTo);
    if (version === undefined) continue;
    return { tombstone: { ...revision, version, ...(untaggedUpTo && { untaggedUpTo }) }, resumes: false };
  }
  throw retryLater(1, "the manifest is being written by others");
}

/** Only of what distribution wrote, and until it was adopted: its links then have metadata, and its tags registers. */
async function mayHaveLegacyTags(store: Store, revision: Link): Promise<boolean> {
  if (revision.size === undefined) return true;
  return revision.generation === "" && !(await isAdopted(store));
}

function unfinished(failed: readonly Tag[], left: number): RegistryError {
  if (failed.length > 0) {
    return new RegistryError("UNKNOWN", {
      message: "the manifest is deleted, but some of its tags could not be removed yet: repeat the request",
      detail: { tags: failed.slice(0, named), ...(left > 0 && { left }) },
    });
  }
  return retryLater(1, "the manifest is deleted, and its tags are being removed: repeat the request", {
    detail: { left },
  });
}

function unknown(name: RepositoryName, digest: Digest): RegistryError {
  return new RegistryError("MANIFEST_UNKNOWN", {
    detail: `unknown manifest name=${name} revision=${digest}`,
  });
}
