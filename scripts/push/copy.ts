import type { Descriptor } from "../../src/oci/descriptor.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { listReferrers, tagReferrers } from "./referrers.ts";
import type { ImageReference } from "./registry/reference.ts";
import type { Repository } from "./registry/repository.ts";
import { remoteSource } from "./source/remote.ts";
import { type TransferOptions, type Transferred, transfer } from "./transfer.ts";

/** Where an image comes from. */
export interface CopySource {
  readonly repository: Repository;
  readonly reference: ImageReference;
  readonly platform: string | undefined;
  /** Whether what refers to the image is copied too: signatures, attestations. */
  readonly referrers: boolean;
}

/**
 * Copies an image from registry to registry, byte for byte and without a disk between them. Blobs of the same
 * registry are mounted.
 * @returns the image, and the number of referrers that were copied.
 * @throws RegistryFailure; Error for an image that is not there.
 */
export async function copyImage(
  source: CopySource,
  options: TransferOptions,
): Promise<Transferred & { readonly referrers: number }> {
  const { repository } = source;
  const isSame = repository.registry.url.host === options.target.registry.url.host;
  const transferring = {
    ...options,
    mountFrom: [...options.mountFrom, ...(isSame ? [repository.name] : [])],
  };
  const copy = async (
    reference: Pick<ImageReference, "tag" | "digest">,
    to: ImageReference,
    platform?: string,
  ) => transfer(await remoteSource(repository, reference, platform), { ...transferring, reference: to });

  const copied = await copy(source.reference, options.reference, source.platform);
  if (!source.referrers) return { ...copied, referrers: 0 };

  const seen = new Set<Digest>(copied.manifests.map(({ digest }) => digest));
  let referrers = 0;
  // What refers to a referrer, such as the signature of an attestation, comes after it.
  for (const subject of seen) {
    const list: readonly Descriptor[] = await listReferrers(repository, subject);
    for (const { digest } of list) {
      if (seen.has(digest)) continue;
      const { manifests } = await copy(
        { tag: undefined, digest },
        { ...options.reference, tag: undefined, digest },
      );
      for (const manifest of manifests) seen.add(manifest.digest);
      referrers++;
    }
    await tagReferrers(options.target, subject, list);
  }
  return { ...copied, referrers };
}
