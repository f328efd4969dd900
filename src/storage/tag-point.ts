import type { Digest } from "../oci/digest.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { confirmTag } from "./confirm-tag.ts";
import { GuardWatch } from "./guard.ts";
import { isSameLife, readLink } from "./link.ts";
import { project, projectUntilStable } from "./projection.ts";
import { whenWritable } from "./register.ts";
import type { Store } from "./store.ts";
import { readTag, type TagState } from "./tag-register.ts";
import { setTag, type TagRequest } from "./tag-set.ts";
import { untagDead } from "./untag-dead.ts";
import { removeMark } from "./untagged-mark.ts";

/** How often a sweep may get in the way before the client is asked to come back. */
const rounds = 6;

/**
 * Points a tag at a manifest that the repository has (docs/protocols.md "Set a tag").
 * @returns the tag as it then was.
 * @throws RegistryError MANIFEST_UNKNOWN (404) if the manifest is not there, or goes while the tag is set; 409
 *   and 412 as setTag; 503 when others keep getting in the way.
 */
export async function pointTag(
  store: Store,
  name: RepositoryName,
  request: TagRequest,
  digest: Digest,
): Promise<TagState> {
  const guard = await GuardWatch.begin(store);
  const key = store.layout.revisionLink(name, digest);
  let wanted = request;
  for (let round = 0; round < rounds; round++) {
    const [revision, before] = await Promise.all([
      readLink(store, key, digest),
      readTag(store, name, request.tag),
    ]);
    const { generation, mediaType, size } = revision;
    if (revision.target === undefined) {
      if (round > 0) await untagAgain(store, name, request.tag, digest);
      throw unknown(name, digest);
    }
    const target = { digest, generation, mediaType: mediaType ?? "", size: size ?? 0 };
    const [{ state, changed }] = await Promise.all([
      setTag(store, name, wanted, target, before, false),
      // What gets a tag now is not to go because it had none.
      removeMark(store, name, digest),
    ]);
    // The condition held; what this request has set once, it sets again without it.
    wanted = { tag: request.tag, immutable: request.immutable };
    if (changed) await project(store, name, request.tag, state);
    else if (!(await confirmTag(store, name, request.tag, state))) continue;

    const [now, clean, after] = await Promise.all([
      readTag(store, name, request.tag),
      guard.clean(),
      readLink(store, key, digest),
    ]);
    if (now.version !== state.version) await projectUntilStable(store, name, request.tag, now);
    if (!clean) {
      await guard.waitUntilIdle();
      // The sweep may have been that of an earlier life of the manifest, with its reverse entries.
      await whenWritable(store, () => store.bucket.put(store.layout.tagged(name, digest, request.tag), ""));
      continue;
    }
    if (after.target !== undefined && isSameLife(after.generation, generation)) return state;
    await untagAgain(store, name, request.tag, digest);
    throw unknown(name, digest);
  }
  throw retryLater(1, "garbage collection keeps getting in the way");
}

/** Removes the tag if it was set to a manifest that is gone. */
async function untagAgain(store: Store, name: RepositoryName, tag: Tag, digest: Digest): Promise<void> {
  const read = (over: Store) => readTag(over, name, tag);
  await untagDead(store, { name, digest, tags: [tag], read, resumes: true });
}

function unknown(name: RepositoryName, digest: Digest): RegistryError {
  return new RegistryError("MANIFEST_UNKNOWN", {
    detail: `unknown manifest name=${name} revision=${digest}`,
  });
}
