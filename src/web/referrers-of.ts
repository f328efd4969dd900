import type { Descriptor } from "../oci/descriptor.ts";
import { algorithmOf, type Digest, encodedOf } from "../oci/digest.ts";
import { type RepositoryName, type Tag, tryParseTag } from "../oci/name.ts";
import { metered, OutOfOperations } from "../storage/metered-bucket.ts";
import { listReferrers } from "../storage/referrers.ts";
import type { Store } from "../storage/store.ts";
import { readTagHead } from "../storage/tag-register.ts";

/** Operations that looking for referrers may take. */
const operations = 40;
/** Suffixes of the tags by which cosign names what it attaches where nobody lists referrers. */
const suffixes = ["sig", "att", "sbom"] as const;

/** What refers to a manifest. */
export interface FoundReferrers {
  readonly descriptors: readonly Descriptor[];
  /** Tags by cosign's convention. */
  readonly tags: readonly Tag[];
  /** Whether there are, or may be, more than these. */
  readonly more: boolean;
}

/** The referrers of a manifest: usually one list, and a look at each of cosign's three tags beside it. */
export async function referrersOf(
  store: Store,
  name: RepositoryName,
  subject: Digest,
): Promise<FoundReferrers> {
  const [listed, tags] = await Promise.all([
    findListed(store, name, subject),
    Promise.all(suffixes.map((suffix) => existing(store, name, subject, suffix))),
  ]);
  return { ...listed, tags: tags.filter((tag) => tag !== undefined) };
}

async function findListed(store: Store, name: RepositoryName, subject: Digest) {
  try {
    const page = await listReferrers(metered(store, operations), name, subject, undefined, undefined);
    return { descriptors: page.descriptors, more: page.next !== undefined };
  } catch (error) {
    if (error instanceof OutOfOperations) return { descriptors: [], more: true };
    throw error;
  }
}

async function existing(store: Store, name: RepositoryName, subject: Digest, suffix: string) {
  const tag = tryParseTag(`${algorithmOf(subject)}-${encodedOf(subject)}.${suffix}`);
  if (tag === undefined) return undefined;
  return (await readTagHead(store, name, tag)).target && tag;
}

/** What an artifact of this type is to people; "artifact" for what is not known. */
export function artifactKind(type: string): string {
  return kinds.find(([pattern]) => pattern.test(type))?.[1] ?? "artifact";
}

const kinds: readonly (readonly [RegExp, string])[] = [
  [/spdx|cyclonedx|syft|sbom/i, "SBOM"],
  [/in-toto|slsa|provenance|attestation|dsse|\.att$/i, "attestation"],
  [/signature|sigstore|cosign|notary|\.sig$/i, "signature"],
  [/sarif|vulnerab|trivy/i, "scan report"],
];
