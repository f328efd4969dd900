import type { Digest } from "../../oci/digest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import { claim } from "../../storage/claim.ts";
import type { Key } from "../../storage/key.ts";
import { linkOf, liveLink, readLink, swapToTombstone } from "../../storage/link.ts";
import { swap } from "../../storage/register.ts";
import type { Store } from "../../storage/store.ts";
import type { Checker } from "./checker.ts";
import { checkData } from "./data.ts";
import { isForeign } from "./foreign.ts";

type LayerKey = Extract<Key, { kind: "layerLink" }>;

/** Looks at a layer link: the data that it leads to, and the repository's claim on that. */
export async function checkLayerLink(checker: Checker, object: R2Object, key: LayerKey): Promise<void> {
  const { store, options } = checker;
  const { name, digest } = key;
  if (linkOf(object, digest) === undefined && (await isForeign(checker, object, key))) return;
  const link = await readLink(store, object.key, digest);
  if (link.target === undefined) return;
  const { target } = link;
  if ((await store.bucket.head(store.layout.blobData(target))) === null) {
    // A sweep removes the link before the data.
    if ((await readLink(store, object.key, digest)).target === undefined) return;
    await checker.find({ kind: "link without data", name, digest }, () => bury(store, object.key, target));
    return;
  }
  await checkClaim(checker, object.key, name, target);
  if (options.name !== undefined) await checkData(checker, target);
}

/** Looks whether the repository claims what its link leads to. */
export async function checkClaim(
  checker: Checker,
  link: string,
  name: RepositoryName,
  digest: Digest,
): Promise<void> {
  const { store } = checker;
  if ((await store.bucket.head(store.layout.owner(digest, name))) !== null) return;
  // A sweep removes the link before the claim.
  if ((await readLink(store, link, digest)).target === undefined) return;
  await checker.find({ kind: "missing claim", name, digest }, () => claim(store, digest, name));
}

/**
 * Swaps a link without data to a tombstone. The body of a link is the same each time, and so is its version: a
 * client who has pushed the data and the link meanwhile gets the link back.
 */
async function bury(store: Store, key: string, digest: Digest): Promise<void> {
  const link = await readLink(store, key, digest);
  if (link.target === undefined) return;
  const tombstone = await swapToTombstone(store, key, link);
  if (tombstone === undefined) return;
  const data = await store.bucket.head(store.layout.blobData(digest));
  if (data === null) return;
  const { body, metadata } = liveLink({ digest, size: data.size });
  await swap(store, key, tombstone, body, metadata);
}
