import type { Digest } from "../../oci/digest.ts";
import type { RepositoryName, Tag } from "../../oci/name.ts";

interface InRepository {
  readonly name: RepositoryName;
}

interface OfTag extends InRepository {
  readonly tag: Tag;
}

interface OfDigest extends InRepository {
  readonly digest: Digest;
}

/** Something that does not fit together in the bucket. */
export type Problem =
  /** The manifest that the tag names was deleted, or deleted and pushed again. */
  | ({ readonly kind: "dead tag"; readonly digest: Digest } & OfTag)
  /** A delete of the manifest would not find the tag. */
  | ({ readonly kind: "missing reverse entry"; readonly digest: Digest } & OfTag)
  /** distribution's link, or the record in KV, says something else than the register. */
  | ({ readonly kind: "stale projection"; readonly where: "current/link" | "KV record" } & OfTag)
  /** The register's body cannot be read, or says something else than its metadata. */
  | ({ readonly kind: "damaged tag" } & OfTag)
  | ({ readonly kind: "link without data" } & OfDigest)
  | ({ readonly kind: "manifest without data" } & OfDigest)
  | ({ readonly kind: "not a manifest" } & OfDigest)
  /** Nothing says that the repository uses the blob: garbage collection would take its data. */
  | ({ readonly kind: "missing claim" } & OfDigest)
  /** The repository says that it uses the blob, has no link to it, and garbage collection looks there no more. */
  | ({ readonly kind: "claim without link" } & OfDigest)
  | ({ readonly kind: "missing catalog entry" } & InRepository)
  /** The manifest refers to a blob or manifest that the repository does not have. */
  | ({ readonly kind: "missing reference"; readonly reference: Digest } & OfDigest)
  /** The referrers of `subject` do not list the manifest, or list an earlier life of it. */
  | ({ readonly kind: "missing referrer"; readonly subject: Digest } & OfDigest)
  /** The referrers of `subject` list a manifest that is gone. */
  | ({ readonly kind: "dead referrer"; readonly subject: Digest } & OfDigest)
  /** distribution wrote links or tags that nobody has adopted. */
  | ({ readonly kind: "not adopted"; readonly links: number; readonly tags: number } & InRepository)
  | { readonly kind: "wrong digest"; readonly digest: Digest }
  /** A link whose body is no digest, or an index entry of which nothing can be read (M5). */
  | { readonly kind: "unreadable"; readonly key: string }
  /** A key that neither Skerry nor distribution would write. */
  | { readonly kind: "stray key"; readonly key: string }
  /** R2 failed while the key was looked at. */
  | { readonly kind: "not checked"; readonly key: string; readonly reason: string };

/** A problem, and what was done about it. */
export type Finding = Problem & {
  readonly repaired: boolean;
  /** Why a repair that was tried failed. */
  readonly failure?: string;
};

/** A finding as a line of text. */
export function printFinding(finding: Finding): string {
  const { repaired, failure } = finding;
  const outcome = repaired ? " (repaired)" : failure === undefined ? "" : ` (not repaired: ${failure})`;
  return `${finding.kind}: ${subjectOf(finding)}${outcome}`;
}

function subjectOf(problem: Problem): string {
  switch (problem.kind) {
    case "dead tag":
    case "missing reverse entry":
      return `${problem.name}:${problem.tag} names ${problem.digest}`;
    case "stale projection":
      return `${problem.where} of ${problem.name}:${problem.tag}`;
    case "damaged tag":
      return `${problem.name}:${problem.tag}`;
    case "link without data":
    case "manifest without data":
    case "not a manifest":
    case "missing claim":
    case "claim without link":
      return `${problem.name} ${problem.digest}`;
    case "missing catalog entry":
      return problem.name;
    case "missing reference":
      return `${problem.name} ${problem.digest} refers to ${problem.reference}`;
    case "missing referrer":
    case "dead referrer":
      return `${problem.name} ${problem.digest} among those of ${problem.subject}`;
    case "not adopted":
      return `${problem.name} has ${problem.links} links and ${problem.tags} tags of distribution's`;
    case "wrong digest":
      return problem.digest;
    case "unreadable":
    case "stray key":
      return problem.key;
    case "not checked":
      return `${problem.key}: ${problem.reason}`;
  }
}
