import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import type { Manifest } from "./manifest.ts";

/**
 * The descriptor by which the referrers of its subject list a manifest of this digest and `size` in bytes
 * (distribution-spec, "Listing Referrers"; OCI requirements 101 to 105).
 */
export function referrerDescriptor(manifest: Manifest, digest: Digest, size: number): Descriptor {
  return {
    mediaType: manifest.mediaType,
    digest,
    size,
    artifactType: artifactTypeOf(manifest),
    annotations: manifest.annotations,
  };
}

/** An image manifest without a type of its own has that of its config; an index has none. */
function artifactTypeOf(manifest: Manifest): string | undefined {
  if (manifest.kind === "index") return manifest.artifactType || undefined;
  return manifest.artifactType || manifest.config?.mediaType || undefined;
}

/** What the referrers list of its subject says of a manifest; undefined for one without a subject. */
export function referrerOf(manifest: Manifest, digest: Digest, size: number) {
  const { subject } = manifest;
  return subject && { subject: subject.digest, descriptor: referrerDescriptor(manifest, digest, size) };
}
