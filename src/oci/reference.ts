import type { UncheckedDescriptor } from "./descriptor.ts";
import { type Digest, tryParseDigest } from "./digest.ts";
import { type ErrorEntry, errorEntry, RegistryError } from "./error.ts";
import { clip, manifestInvalid } from "./invalid.ts";
import { dockerForeignLayer, isManifestType, isNonDistributableType, isUrlLayerType } from "./media-type.ts";
import { allowsUrl, type UrlPolicy } from "./urls.ts";

/** What a manifest needs in its repository before it may be stored there (D3 to D8). */
export interface Reference {
  readonly digest: Digest;
  readonly kind: "blob" | "manifest";
  /** False for a layer that clients fetch from its own URLs. */
  readonly required: boolean;
}

/** The same reference, of a manifest that may be stored without what it refers to. */
export function asOptional(reference: Reference): Reference {
  return { ...reference, required: false };
}

/** What limits the references of a pushed manifest. */
export interface ReferenceRules {
  /** How many different references a manifest may have. */
  readonly maxReferences: number;
  readonly urls: UrlPolicy;
}

interface Candidate {
  readonly descriptor: UncheckedDescriptor;
  readonly kind: Reference["kind"];
  readonly required: boolean;
}

/** The config of an image manifest, then its layers; all of them are blobs, whatever their media type (D2, D7). */
export function imageCandidates(
  config: UncheckedDescriptor,
  layers: readonly UncheckedDescriptor[],
): Candidate[] {
  return [
    { descriptor: config, kind: "blob", required: true },
    ...layers.map((layer) => ({ descriptor: layer, kind: "blob" as const, required: !isElsewhere(layer) })),
  ];
}

/**
 * The children of an index. A child is a manifest (D8) unless its media type says that it is something else: the
 * cache indexes of BuildKit list layers.
 */
export function indexCandidates(children: readonly UncheckedDescriptor[]): Candidate[] {
  return children.map((child) => ({
    descriptor: child,
    kind: child.mediaType === "" || isManifestType(child.mediaType) ? "manifest" : "blob",
    required: true,
  }));
}

/** The references in the order of the manifest, each once; a faulty digest, which nothing can have, is left out. */
export function referencesOf(candidates: readonly Candidate[]): readonly Reference[] {
  const references = new Map<string, Reference>();
  for (const { descriptor, kind, required } of candidates) {
    const digest = tryParseDigest(descriptor.digest);
    if (digest === undefined) continue;
    const key = `${kind} ${digest}`;
    references.set(key, { digest, kind, required: required || references.get(key)?.required === true });
  }
  return [...references.values()];
}

/**
 * Checks what can be said of references without looking for them.
 * @throws RegistryError MANIFEST_INVALID (400) for too many references. Otherwise one answer (400) for all faulty
 * ones in order: what is wrong, DIGEST_INVALID or MANIFEST_INVALID (URL), each followed by MANIFEST_BLOB_UNKNOWN
 * with the digest as `detail` (A62 to A64, M11).
 */
export function checkCandidates(candidates: readonly Candidate[], rules: ReferenceRules): void {
  const count = new Set(candidates.map(({ descriptor }) => descriptor.digest)).size;
  if (count > rules.maxReferences) {
    throw manifestInvalid(`${count} references, at most ${rules.maxReferences} allowed`);
  }
  const faults = new Map<string, ErrorEntry>();
  for (const { descriptor } of candidates) {
    const fault = faultOf(descriptor, rules.urls);
    if (fault !== undefined) faults.set(descriptor.digest, fault);
  }
  const [first, ...rest] = [...faults].flatMap(([digest, fault]) => [
    fault,
    errorEntry("MANIFEST_BLOB_UNKNOWN", clip(digest)),
  ]);
  if (first !== undefined) throw RegistryError.of([first, ...rest], { status: 400 });
}

function faultOf(descriptor: UncheckedDescriptor, policy: UrlPolicy): ErrorEntry | undefined {
  if (tryParseDigest(descriptor.digest) === undefined) {
    return errorEntry("DIGEST_INVALID", undefined, "invalid digest in manifest");
  }
  if (!isUrlLayerType(descriptor.mediaType)) return undefined;
  const urls = descriptor.urls ?? [];
  if (descriptor.mediaType === dockerForeignLayer && urls.length === 0) {
    return errorEntry("MANIFEST_INVALID", "missing URL on layer");
  }
  return urls.every((url) => allowsUrl(policy, url))
    ? undefined
    : errorEntry("MANIFEST_INVALID", "invalid URL on layer");
}

function isElsewhere(layer: UncheckedDescriptor): boolean {
  return isNonDistributableType(layer.mediaType) && (layer.urls ?? []).length > 0;
}
