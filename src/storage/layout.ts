import { algorithmOf, type Digest, encodedOf, tryParseDigest } from "../oci/digest.ts";
import { type RepositoryName, type Tag, tryParseRepositoryName } from "../oci/name.ts";
import { type Key, offsetDigits, parseKey } from "./key.ts";

const root = "docker/registry/v2/";

/** The longest prefix, in bytes, with which every key stays within R2's 1,024. */
export const maxPrefixLength = 400;

/** Builds and reads keys below one prefix. Nothing else in Skerry knows what a key looks like. */
export class Layout {
  readonly #root: string;

  /** @param prefix folder of the bucket that holds the registry: no slash at either end, "" for none. */
  constructor(prefix = "") {
    this.#root = prefix === "" ? root : `${prefix}/${root}`;
  }

  blobData(digest: Digest): string {
    return `${this.#root}blobs/${sharded(digest)}/data`;
  }

  /** Listing this prefix gives every blob, in the order of their digests. */
  blobs(): string {
    return `${this.#root}blobs/`;
  }

  /** Listing this prefix gives the layer links of a repository. */
  layerLinks(name: RepositoryName): string {
    return `${this.#repository(name)}_layers/`;
  }

  layerLink(name: RepositoryName, digest: Digest): string {
    return `${this.layerLinks(name)}${path(digest)}/link`;
  }

  /** Listing this prefix gives the revision links of a repository. */
  revisionLinks(name: RepositoryName): string {
    return `${this.#repository(name)}_manifests/revisions/`;
  }

  revisionLink(name: RepositoryName, digest: Digest): string {
    return `${this.revisionLinks(name)}${path(digest)}/link`;
  }

  /** Listing this prefix gives what distribution keeps of the tags of a repository. */
  currentLinks(name: RepositoryName): string {
    return `${this.#repository(name)}_manifests/tags/`;
  }

  currentLink(name: RepositoryName, tag: Tag): string {
    return `${this.currentLinks(name)}${tag}/current/link`;
  }

  /** What distribution writes, and Skerry never, each time that it sets a tag. */
  tagIndexLink(name: RepositoryName, tag: Tag, digest: Digest): string {
    return `${this.#repository(name)}_manifests/tags/${tag}/index/${path(digest)}/link`;
  }

  /** Listing this prefix gives the tags of a repository in ASCII order. */
  tags(name: RepositoryName): string {
    return `${this.#repository(name)}_skerry/tags/`;
  }

  tag(name: RepositoryName, tag: Tag): string {
    return `${this.tags(name)}${tag}`;
  }

  /** Listing this prefix gives the tags that ever named the digest. */
  taggedWith(name: RepositoryName, digest: Digest): string {
    return `${this.#repository(name)}_skerry/tagged/${path(digest)}/`;
  }

  tagged(name: RepositoryName, digest: Digest, tag: Tag): string {
    return `${this.taggedWith(name, digest)}${tag}`;
  }

  /** Listing this prefix gives what was pulled of a repository by tag, in ASCII order. */
  pulledTags(name: RepositoryName): string {
    return `${this.#repository(name)}_skerry/pulled/tags/`;
  }

  /** Its time is that of the last pull that was recorded. */
  pulled(name: RepositoryName, pulled: Tag | Digest): string {
    const digest = tryParseDigest(pulled);
    return digest === undefined
      ? `${this.pulledTags(name)}${pulled}`
      : `${this.pulledDigests(name)}${path(digest)}`;
  }

  /** Listing this prefix gives what was pulled of a repository by digest, in the order of revisions. */
  pulledDigests(name: RepositoryName): string {
    return `${this.#repository(name)}_skerry/pulled/digests/`;
  }

  /** Since when pulls of the repository are recorded. */
  pullsRecorded(name: RepositoryName): string {
    return `${this.#repository(name)}_skerry/pulled/since`;
  }

  /** Listing this prefix gives the manifests that no tag names, in the order of revisions. */
  untaggeds(name: RepositoryName): string {
    return `${this.#repository(name)}_skerry/untagged/`;
  }

  untagged(name: RepositoryName, digest: Digest): string {
    return `${this.untaggeds(name)}${path(digest)}`;
  }

  referrers(name: RepositoryName, subject: Digest): string {
    return `${this.#repository(name)}_skerry/referrers/${path(subject)}/`;
  }

  referrer(name: RepositoryName, subject: Digest, digest: Digest): string {
    return `${this.referrers(name, subject)}${algorithmOf(digest)}-${encodedOf(digest)}`;
  }

  /** Listing this prefix gives the segments of all upload sessions of a repository. */
  uploads(name: RepositoryName): string {
    return `${this.#repository(name)}_uploads/`;
  }

  /** Listing this prefix gives the segments of an upload session in the order of their offsets. */
  segments(name: RepositoryName, session: string): string {
    return `${this.uploads(name)}${session}/`;
  }

  segment(name: RepositoryName, session: string, offset: number): string {
    return `${this.segments(name, session)}${String(offset).padStart(offsetDigits, "0")}`;
  }

  proof(name: RepositoryName, session: string): string {
    return `${this.segments(name, session)}proof`;
  }

  /** Listing this prefix gives the repositories in byte order. */
  catalogs(): string {
    return `${this.#root}skerry/catalog/`;
  }

  catalog(name: RepositoryName): string {
    return `${this.catalogs()}${name}`;
  }

  /** Listing this prefix gives the claims on all blobs, in the order of blobs. */
  allOwners(): string {
    return `${this.#root}skerry/owners/`;
  }

  /** Listing this prefix gives the repositories that claim the blob. */
  owners(digest: Digest): string {
    return `${this.allOwners()}${sharded(digest)}/`;
  }

  owner(digest: Digest, name: RepositoryName): string {
    return `${this.owners(digest)}${name}`;
  }

  guard(): string {
    return `${this.#root}skerry/gc/guard`;
  }

  /** Listing this prefix gives the blobs that garbage collection saw without an owner, in the order of blobs. */
  orphans(): string {
    return `${this.#root}skerry/gc/orphans/`;
  }

  orphan(digest: Digest): string {
    return `${this.orphans()}${sharded(digest)}`;
  }

  /** Listing this prefix gives repositories that hold blobs, whether or not a manifest was ever pushed to them. */
  gcRepositories(): string {
    return `${this.#root}skerry/gc/repositories/`;
  }

  gcRepository(name: RepositoryName): string {
    return `${this.gcRepositories()}${name}`;
  }

  /** Listing this prefix gives what sweeps and checks have written down for a later pass. */
  gcJournals(): string {
    return `${this.#root}skerry/gc/journal/`;
  }

  /** @param id a UUID. */
  gcJournal(id: string): string {
    return `${this.gcJournals()}${id}`;
  }

  gcState(): string {
    return `${this.#root}skerry/gc/state`;
  }

  /** Listing this prefix gives the reports of garbage collection, oldest first. */
  gcReports(): string {
    return `${this.#root}skerry/gc/reports/`;
  }

  /** @param pass time of the pass's beginning, in digits. */
  gcReport(pass: string): string {
    return `${this.gcReports()}${pass}`;
  }

  uploadKey(): string {
    return `${this.#root}skerry/keys/upload`;
  }

  /** Listing this prefix gives the accounts that the bucket keeps, in byte order. */
  accounts(): string {
    return `${this.#root}skerry/accounts/`;
  }

  account(account: string): string {
    return `${this.accounts()}${account}`;
  }

  /** Listing this prefix gives the imports, open or over. */
  imports(): string {
    return `${this.#root}skerry/imports/`;
  }

  /** @param id a UUID. */
  importJob(id: string): string {
    return `${this.imports()}${id}`;
  }

  /** Its time is that of the last write by another registry that was seen. */
  foreignMark(): string {
    return `${this.#root}skerry/adopt/foreign`;
  }

  adoptState(): string {
    return `${this.#root}skerry/adopt/state`;
  }

  /** Listing this prefix gives all that repositories hold, a repository's own keys in a row. */
  repositories(): string {
    return `${this.#root}repositories/`;
  }

  /** What a key found in the bucket is, or undefined for a key that is none of Skerry's. */
  parse(key: string): Key | undefined {
    if (!key.startsWith(this.#root)) return undefined;
    return parseKey(key.slice(this.#root.length));
  }

  /** Listing this prefix gives all keys of a repository, and none of the repositories below it. */
  keysOf(name: RepositoryName): string {
    return `${this.#repository(name)}_`;
  }

  /** The repository that a key belongs to, whoever wrote it; undefined if it belongs to none. */
  repositoryOf(key: string): RepositoryName | undefined {
    const end = key.indexOf("/_", this.repositories().length);
    if (!key.startsWith(this.repositories()) || end < 0) return undefined;
    return tryParseRepositoryName(key.slice(this.repositories().length, end));
  }

  #repository(name: RepositoryName): string {
    return `${this.repositories()}${name}/`;
  }
}

/** The key of a tag's record in KV; `mode` keeps apart what strong and eventual reading may rely on. */
export function tagRecordKey(mode: "strong" | "eventual", name: RepositoryName, tag: Tag): string {
  return `${mode}:${name}:${tag}`;
}

function path(digest: Digest): string {
  return `${algorithmOf(digest)}/${encodedOf(digest)}`;
}

function sharded(digest: Digest): string {
  const encoded = encodedOf(digest);
  return `${algorithmOf(digest)}/${encoded.slice(0, 2)}/${encoded}`;
}
