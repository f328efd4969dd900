import type { Descriptor } from "../../src/oci/descriptor.ts";
import { descriptorOf } from "../../src/oci/descriptor.ts";
import { algorithmOf, type Digest, encodedOf } from "../../src/oci/digest.ts";
import { ociIndex } from "../../src/oci/media-type.ts";
import type { Repository } from "./registry/repository.ts";

/** Part of a digest's algorithm and of its hex that the tag of referrers has. */
const algorithmPart = 32;
const encodedPart = 64;

/**
 * The manifests whose subject has this digest, as the registry lists them, or as a tag lists them where it does not
 * (distribution-spec, "Listing Referrers", "Referrers Tag Schema").
 * @throws RegistryFailure.
 */
export async function listReferrers(repository: Repository, subject: Digest): Promise<readonly Descriptor[]> {
  const pages = await repository.referrers(subject);
  if (pages !== undefined) return pages.flatMap(descriptorsIn);
  const tagged = await repository.manifest(referrersTag(subject));
  return tagged === undefined ? [] : descriptorsIn(tagged.bytes);
}

/**
 * Lists referrers by a tag where the registry does not list them itself, beside those that the tag has already.
 * @throws RegistryFailure.
 */
export async function tagReferrers(
  repository: Repository,
  subject: Digest,
  referrers: readonly Descriptor[],
): Promise<void> {
  if (referrers.length === 0 || (await repository.referrers(subject)) !== undefined) return;
  const tagged = await repository.manifest(referrersTag(subject));
  const present = tagged === undefined ? [] : descriptorsIn(tagged.bytes);
  const known = new Set(present.map(({ digest }) => digest));
  const missing = referrers.filter(({ digest }) => !known.has(digest));
  if (missing.length === 0) return;
  const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [...present, ...missing] };
  const bytes = Buffer.from(JSON.stringify(index));
  await repository.putManifest(referrersTag(subject), { mediaType: ociIndex, bytes });
}

function referrersTag(digest: Digest): string {
  return `${algorithmOf(digest).slice(0, algorithmPart)}-${encodedOf(digest).slice(0, encodedPart)}`;
}

function descriptorsIn(bytes: Buffer): readonly Descriptor[] {
  const { manifests } = JSON.parse(bytes.toString()) as { readonly manifests?: readonly unknown[] };
  return (manifests ?? []).map(descriptorOf).filter((descriptor) => descriptor !== undefined);
}
