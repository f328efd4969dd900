import type { Digest } from "../../oci/digest.ts";
import { retryLater } from "../../oci/error.ts";
import { manifestOf } from "../../oci/manifest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import type { Reference } from "../../oci/reference.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { listAdopted } from "../../storage/catalog.ts";
import { claim } from "../../storage/claim.ts";
import { GuardWatch } from "../../storage/guard.ts";
import { liveLink, readLink } from "../../storage/link.ts";
import { createOnce } from "../../storage/register.ts";
import type { Store } from "../../storage/store.ts";
import { readTagHead } from "../../storage/tag-register.ts";
import { adoptReferrerRemoval, untagIf } from "../adopt-removals.ts";
import { type Adoption, adoptLayerLink, adoptRevision } from "../foreign-links.ts";
import { objects } from "../pages.ts";
import type { Following } from "./following.ts";

/** How often sweeps may get in the way before the event is put back. */
const rounds = 3;

/**
 * Adopts a manifest that distribution pushed, and what it refers to: distribution looked at layer links that garbage
 * collection may have been about to sweep, and knows of no guard. A link that is gone is put again.
 * @returns `kept` for a manifest of Skerry's own.
 * @throws RegistryError 503 when garbage collection keeps getting in the way.
 */
export async function adoptManifest(
  store: Store,
  following: Following,
  name: RepositoryName,
  digest: Digest,
): Promise<Adoption> {
  const key = store.layout.revisionLink(name, digest);
  const link = await readLink(store, key, digest);
  if (link.target === undefined) return link.version === undefined ? "dangling" : "kept";
  if (link.size !== undefined) return "kept";
  await following.onForeign();
  const guard = await GuardWatch.begin(store);
  let adoption: Adoption | undefined;
  for (let round = 0; round < rounds; round++) {
    await listAdopted(store, name);
    // Before the link has its metadata, by which the next delivery of the event would take this for done.
    const data = await store.bucket.get(store.layout.blobData(link.target));
    const manifest = data && manifestOf(new Uint8Array(await data.arrayBuffer()));
    await mapBounded(manifest?.references ?? [], store.concurrency, (reference) =>
      keepReference(store, name, reference),
    );
    if (adoption === undefined) ({ adoption } = await adoptRevision(store, name, digest));
    else await claim(store, digest, name);
    if (await guard.clean()) return adoption;
    await guard.waitUntilIdle();
  }
  throw retryLater(5, "garbage collection keeps getting in the way");
}

async function keepReference(store: Store, name: RepositoryName, { kind, digest }: Reference): Promise<void> {
  if (kind !== "blob") return;
  const key = store.layout.layerLink(name, digest);
  const link = await store.bucket.head(key);
  if (link !== null) return void (await adoptLayerLinkIfForeign(store, name, digest, link));
  const data = await store.bucket.head(store.layout.blobData(digest));
  if (data === null) return;
  await claim(store, digest, name);
  const { body, metadata } = liveLink({ digest, size: data.size });
  await createOnce(store, key, body, metadata);
}

async function adoptLayerLinkIfForeign(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  { customMetadata = {} }: R2Object,
): Promise<void> {
  const isOwn = customMetadata.size !== undefined || customMetadata.tombstone !== undefined;
  if (!isOwn) await adoptLayerLink(store, name, digest, "once");
}

/**
 * Follows distribution, which removes a manifest with its revision link and its tags: tags of a life that is over
 * go, even if the manifest was pushed again since, and so does its place among the referrers of its subject.
 * @returns whether anything was removed.
 */
export async function adoptManifestRemoval(
  store: Store,
  name: RepositoryName,
  digest: Digest,
): Promise<boolean> {
  const { bucket, layout } = store;
  let removed = false;
  for await (const { key } of objects(store, layout.taggedWith(name, digest))) {
    const entry = layout.parse(key);
    if (entry?.kind !== "tagged") continue;
    const { target } = await readTagHead(store, name, entry.tag);
    if (target?.digest !== digest) continue;
    if (await untagIf(store, name, entry.tag, (live) => live === undefined)) removed = true;
  }
  const data = await bucket.get(layout.blobData(digest));
  const subject = data && manifestOf(new Uint8Array(await data.arrayBuffer()))?.subject?.digest;
  if (subject) await adoptReferrerRemoval(store, { kind: "referrer", name, subject, digest });
  return removed;
}
