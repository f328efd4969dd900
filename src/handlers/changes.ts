import { tagDeletedEvent, tagSetEvent } from "../events/tag-event.ts";
import { deleteRepositoryStep, type RepositoryDeletion } from "../maintenance/repository-delete.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { deleteManifest } from "../storage/manifest-delete.ts";
import { matchesTag } from "../storage/tag-pattern.ts";
import { pointTag } from "../storage/tag-point.ts";
import { readTag, type TagState } from "../storage/tag-register.ts";
import { type TagCondition, untag } from "../storage/tag-set.ts";
import { announce, nearContent, type RegistryContext, seeThrough } from "./context.ts";

/** Removes a tag for a caller who may. @throws RegistryError as untag. */
export async function removeTag(
  c: RegistryContext,
  name: RepositoryName,
  tag: Tag,
  condition?: TagCondition,
): Promise<void> {
  const digest = await seeThrough(c, untag(c.var.registry.store, name, tag, condition));
  announce(c, tagDeletedEvent(name, tag, digest));
}

/** Deletes a manifest, with every tag on it, for a caller who may. @throws RegistryError as deleteManifest. */
export async function removeManifest(
  c: RegistryContext,
  name: RepositoryName,
  digest: Digest,
): Promise<void> {
  const { store, config } = c.var.registry;
  const deletion = deleteManifest(store, name, digest, config.operationsPerRequest, (tag) =>
    announce(c, tagDeletedEvent(name, tag, digest)),
  );
  await seeThrough(
    c,
    deletion.finally(() => nearContent(c).forgetManifest(name, digest)),
  );
  announce(c, { type: "delete", kind: "manifest", repository: name, digest });
}

/** One step of deleting what can be pulled from a repository, for a caller who may. @throws RegistryError as the step. */
export async function removeRepositoryStep(
  c: RegistryContext,
  name: RepositoryName,
): Promise<RepositoryDeletion> {
  const { store, config } = c.var.registry;
  const near = nearContent(c);
  const step = deleteRepositoryStep(store, name, config.operationsPerRequest, {
    onUntagged: (tag, digest) => announce(c, tagDeletedEvent(name, tag, digest)),
    onDeleted(digest) {
      announce(c, { type: "delete", kind: "manifest", repository: name, digest });
      near.defer(() => near.forgetManifest(name, digest));
    },
  });
  return seeThrough(c, step);
}

/** Where a tag is to go back to. */
export interface Restoring {
  readonly tag: Tag;
  /** A digest of its history; undefined: the one before, or of a removed tag the last. */
  readonly digest: Digest | undefined;
  readonly condition?: TagCondition | undefined;
}

/**
 * Points a tag back at an earlier digest of its history for a caller who may.
 * @throws RegistryError MANIFEST_UNKNOWN (404) if it never named that digest; and as pointTag.
 */
export async function restore(
  c: RegistryContext,
  name: RepositoryName,
  { tag, digest: wanted, condition }: Restoring,
): Promise<{ readonly state: TagState; readonly digest: Digest }> {
  const { store, config } = c.var.registry;
  const before = await readTag(store, name, tag);
  if (before.version === undefined) throw unknownTag(tag);
  const digest = wanted ?? before.history.find((event) => event.digest !== before.target?.digest)?.digest;
  if (digest === undefined || !before.history.some((event) => event.digest === digest)) {
    throw new RegistryError("MANIFEST_UNKNOWN", { message: "the tag never named that manifest" });
  }
  const request = { tag, immutable: matchesTag(config.immutableTags, name, tag), condition };
  const state = await seeThrough(c, pointTag(store, name, request, digest));
  announce(c, ...tagSetEvent(name, tag, { ...state.target, digest }, before.target?.digest, true));
  return { state, digest };
}

/** The 404 of a tag that never was. */
export function unknownTag(tag: string): RegistryError {
  return new RegistryError("MANIFEST_UNKNOWN", { detail: `unknown tag=${tag.slice(0, 200)}` });
}
