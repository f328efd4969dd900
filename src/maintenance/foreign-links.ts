import type { Digest } from "../oci/digest.ts";
import { type Manifest, manifestOf } from "../oci/manifest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { referrerDescriptor } from "../oci/referrer.ts";
import { claim } from "../storage/claim.ts";
import { liveLink, readLink } from "../storage/link.ts";
import { putReferrer } from "../storage/referrer-entry.ts";
import { swap } from "../storage/register.ts";
import type { Store } from "../storage/store.ts";

/**
 * What became of a link that distribution wrote: `adopted`; `kept` as it is because it leads to another digest
 * (a sha512 to the sha256 of the same bytes); or not adopted, and why.
 */
export type Adoption = "adopted" | "kept" | "unreadable" | "dangling" | "not a manifest";

/**
 * Adopts a layer link that distribution wrote: claims the blob, then keeps its size with the link. A link whose
 * data is missing is left alone.
 * @param claiming whether a link that is `kept`, and so met again and again, renews its claim each time.
 */
export async function adoptLayerLink(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  claiming: "renewing" | "once" = "renewing",
): Promise<Adoption> {
  const key = store.layout.layerLink(name, digest);
  const link = await readLink(store, key, digest);
  if (link.target === undefined) return "unreadable";
  const data = await store.bucket.head(store.layout.blobData(link.target));
  if (data === null) return "dangling";
  const { target } = link;
  const isKept = target !== digest;
  const isClaimed = isKept && claiming === "once" && (await isClaimedBy(store, target, name));
  if (!isClaimed) await claim(store, target, name);
  if (isKept) return "kept";
  const { body, metadata } = liveLink({ digest, size: data.size });
  // Lost to a writer of Skerry's: then the link has its metadata already.
  await swap(store, key, link.version, body, metadata);
  return "adopted";
}

async function isClaimedBy(store: Store, digest: Digest, name: RepositoryName): Promise<boolean> {
  return (await store.bucket.head(store.layout.owner(digest, name))) !== null;
}

/**
 * Adopts a revision link that distribution wrote: claims the manifest, lists it with its subject's referrers,
 * and keeps size, media type and references with the link. It has no generation, as its tags have none.
 * @returns the manifest too, for those who need its references at once.
 */
export async function adoptRevision(
  store: Store,
  name: RepositoryName,
  digest: Digest,
): Promise<{ readonly adoption: Adoption; readonly manifest?: Manifest }> {
  const key = store.layout.revisionLink(name, digest);
  const link = await readLink(store, key, digest);
  if (link.target !== digest) return { adoption: link.target === undefined ? "unreadable" : "kept" };
  const data = await store.bucket.get(store.layout.blobData(digest));
  if (data === null) return { adoption: "dangling" };
  const bytes = new Uint8Array(await data.arrayBuffer());
  const manifest = manifestOf(bytes);
  if (manifest === undefined) return { adoption: "not a manifest" };
  await claim(store, digest, name);
  const size = bytes.byteLength;
  const subject = manifest.subject?.digest;
  if (subject !== undefined) {
    const descriptor = referrerDescriptor(manifest, digest, size);
    await putReferrer(store, name, digest, { subject, descriptor, generation: "" });
  }
  const { body, metadata } = liveLink({
    digest,
    size,
    mediaType: manifest.mediaType,
    subject,
    references: manifest.references.map((reference) => reference.digest),
  });
  await swap(store, key, link.version, body, metadata);
  return { adoption: "adopted", manifest };
}
