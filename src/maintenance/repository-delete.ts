import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { mapBounded } from "../storage/bounded.ts";
import { linkOf } from "../storage/link.ts";
import { deleteManifest } from "../storage/manifest-delete.ts";
import { metered, OutOfOperations } from "../storage/metered-bucket.ts";
import type { Store } from "../storage/store.ts";
import { listTags } from "../storage/tag-list.ts";
import { untag } from "../storage/tag-set.ts";

/** Operations without which no delete by digest is begun: of a manifest with few tags it takes a dozen. */
const fewest = 100;
/** Tags without a manifest that are removed together. */
const together = 50;

/** What a step of deleting a repository did. */
export interface RepositoryDeletion {
  readonly manifests: number;
  readonly tags: number;
  /** Whether nothing is left that could be pulled. */
  readonly done: boolean;
}

/** Told of what a step does, as it does it. */
export interface DeletionObserver {
  onUntagged(tag: Tag, digest: Digest): void;
  onDeleted(digest: Digest): void;
}

interface Progress {
  manifests: number;
  tags: number;
}

/**
 * One bounded step of deleting everything that can be pulled from a repository: each manifest as by a delete by
 * digest, and tags that name nothing. A step may die anywhere, and the next one goes on, since it looks for what is
 * left. Blobs are for garbage collection, which takes an empty repository out of the catalog too.
 * @param operations how many R2 and KV operations the platform grants this request: 200 and more.
 * @throws RegistryError 500 naming tags that could not be removed.
 */
export async function deleteRepositoryStep(
  store: Store,
  name: RepositoryName,
  operations: number,
  observer: DeletionObserver,
): Promise<RepositoryDeletion> {
  const bounded = metered(store, operations);
  const progress: Progress = { manifests: 0, tags: 0 };
  const counted: DeletionObserver = {
    onUntagged(tag, digest) {
      progress.tags++;
      observer.onUntagged(tag, digest);
    },
    onDeleted(digest) {
      progress.manifests++;
      observer.onDeleted(digest);
    },
  };
  try {
    for await (const digests of unfinished(bounded, name)) {
      for (let rest = digests; rest.length > 0; ) {
        const wave = Math.min(store.concurrency, rest.length, Math.floor(bounded.bucket.left / fewest));
        if (wave < 1) return { ...progress, done: false };
        const share = Math.floor(bounded.bucket.left / wave);
        // Each delete goes by itself: the step's width is in the number of manifests.
        const narrow = { ...bounded, concurrency: 1 };
        await mapBounded(rest.slice(0, wave), wave, (digest) =>
          deleteOne(narrow, name, digest, share, counted),
        );
        rest = rest.slice(wave);
      }
    }
    const done = await removeRest(bounded, name, counted);
    return { ...progress, done };
  } catch (error) {
    if (isUnfinished(error)) return { ...progress, done: false };
    throw error;
  }
}

/** Manifests that live, or whose deletion was left in the middle, a list at a time. */
async function* unfinished(store: Store, name: RepositoryName): AsyncGenerator<readonly Digest[]> {
  const prefix = store.layout.revisionLinks(name);
  let startAfter: string | undefined;
  for (;;) {
    const page = await store.bucket.list({
      prefix,
      include: ["customMetadata"],
      ...(startAfter !== undefined && { startAfter }),
    });
    yield page.objects.flatMap((object) => {
      const key = store.layout.parse(object.key);
      if (key?.kind !== "revisionLink") return [];
      const link = linkOf(object, key.digest);
      const isOver = link !== undefined && link.target === undefined && link.untaggedUpTo === undefined;
      return isOver ? [] : [key.digest];
    });
    if (!page.truncated) return;
    startAfter = page.objects.at(-1)?.key;
  }
}

async function deleteOne(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  operations: number,
  observer: DeletionObserver,
): Promise<void> {
  try {
    await deleteManifest(store, name, digest, operations, (tag) => observer.onUntagged(tag, digest));
  } catch (error) {
    // Somebody else was first, which is as good.
    if (!(error instanceof RegistryError && error.status === 404)) throw error;
  }
  observer.onDeleted(digest);
}

/** Removes tags whose manifests are gone. @returns whether none is left. */
async function removeRest(store: Store, name: RepositoryName, observer: DeletionObserver): Promise<boolean> {
  for (;;) {
    const { tags } = await listTags(store, name, together, undefined);
    if (tags.length === 0) return true;
    const removed = await mapBounded(tags, store.concurrency, async ({ tag }) => {
      observer.onUntagged(tag, await untag(store, name, tag));
    });
    if (removed.length < together) return true;
  }
}

/** What only a further step can go on with: no operations left, or more tags than they sufficed for. */
function isUnfinished(error: unknown): boolean {
  return error instanceof OutOfOperations || (error instanceof RegistryError && error.status === 503);
}
