import { algorithmOf, type Digest, encodedOf, tryParseDigest } from "../oci/digest.ts";
import { type RepositoryName, type Tag, tryParseRepositoryName, tryParseTag } from "../oci/name.ts";

/**
 * Every key that Skerry keeps in R2, as a value. docs/storage.md says of each what it holds, who writes it, who
 * reads it and who removes it. `blobData`, `layerLink`, `revisionLink` and `currentLink` are byte for byte those
 * of distribution; the others sit where distribution ignores them.
 */
export type Key =
  | { readonly kind: "blobData"; readonly digest: Digest }
  | { readonly kind: "layerLink"; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: "revisionLink"; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: "currentLink"; readonly name: RepositoryName; readonly tag: Tag }
  | { readonly kind: "tag"; readonly name: RepositoryName; readonly tag: Tag }
  | { readonly kind: "tagged"; readonly name: RepositoryName; readonly digest: Digest; readonly tag: Tag }
  | {
      readonly kind: "referrer";
      readonly name: RepositoryName;
      readonly subject: Digest;
      readonly digest: Digest;
    }
  | {
      readonly kind: "segment";
      readonly name: RepositoryName;
      readonly session: string;
      readonly offset: number;
    }
  | { readonly kind: "proof"; readonly name: RepositoryName; readonly session: string }
  | { readonly kind: "catalog"; readonly name: RepositoryName }
  | { readonly kind: "owner"; readonly digest: Digest; readonly name: RepositoryName }
  | { readonly kind: "guard" }
  | { readonly kind: "orphan"; readonly digest: Digest }
  | { readonly kind: "gcRepository"; readonly name: RepositoryName }
  | { readonly kind: "gcState" }
  | { readonly kind: "gcReport"; readonly pass: string }
  | { readonly kind: "adoptState" }
  | { readonly kind: "uploadKey" }
  | { readonly kind: "account"; readonly account: string };

const root = "docker/registry/v2/";

/** Digits of a segment's offset: enough for 10^15 bytes, and a listing in key order is one in offset order. */
const offsetDigits = 15;

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

  currentLink(name: RepositoryName, tag: Tag): string {
    return `${this.#repository(name)}_manifests/tags/${tag}/current/link`;
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
    const rest = key.slice(this.#root.length);
    for (const [pattern, read] of readers) {
      const groups = pattern.exec(rest)?.groups;
      if (groups !== undefined) return read(groups);
    }
    return undefined;
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

type Groups = Record<string, string | undefined>;

// A component of a repository name never starts with "_", so the first "/_" ends the name.
const repository = "^repositories/(?<name>[^_].*?)/";
const hex = "(?<algorithm>[a-z0-9]+)/(?<encoded>[0-9a-f]+)";
const shardedHex = "(?<algorithm>[a-z0-9]+)/(?<shard>[0-9a-f]{2})/(?<encoded>\\k<shard>[0-9a-f]+)";

const readers: readonly (readonly [RegExp, (groups: Groups) => Key | undefined])[] = [
  [
    new RegExp(`^blobs/${shardedHex}/data$`),
    (g) => withDigest(g, (digest) => ({ kind: "blobData", digest })),
  ],
  [
    new RegExp(`${repository}_layers/${hex}/link$`),
    (g) => withNameAndDigest(g, (name, digest) => ({ kind: "layerLink", name, digest })),
  ],
  [
    new RegExp(`${repository}_manifests/revisions/${hex}/link$`),
    (g) => withNameAndDigest(g, (name, digest) => ({ kind: "revisionLink", name, digest })),
  ],
  [
    new RegExp(`${repository}_manifests/tags/(?<tag>[^/]+)/current/link$`),
    (g) => withNameAndTag(g, (name, tag) => ({ kind: "currentLink", name, tag })),
  ],
  [
    new RegExp(`${repository}_skerry/tags/(?<tag>[^/]+)$`),
    (g) => withNameAndTag(g, (name, tag) => ({ kind: "tag", name, tag })),
  ],
  [
    new RegExp(`${repository}_skerry/tagged/${hex}/(?<tag>[^/]+)$`),
    (g) =>
      withNameAndTag(g, (name, tag) => withDigest(g, (digest) => ({ kind: "tagged", name, digest, tag }))),
  ],
  [
    new RegExp(`${repository}_skerry/referrers/${hex}/(?<referrer>[a-z0-9]+-[0-9a-f]+)$`),
    (g) =>
      withNameAndDigest(g, (name, subject) => {
        const digest = tryParseDigest((g.referrer ?? "").replace("-", ":"));
        return digest && { kind: "referrer", name, subject, digest };
      }),
  ],
  [
    new RegExp(`${repository}_uploads/(?<session>[^/]+)/(?<offset>[0-9]{${offsetDigits}})$`),
    (g) =>
      withName(g, (name) => ({
        kind: "segment",
        name,
        session: g.session ?? "",
        offset: Number(g.offset),
      })),
  ],
  [
    new RegExp(`${repository}_uploads/(?<session>[^/]+)/proof$`),
    (g) => withName(g, (name) => ({ kind: "proof", name, session: g.session ?? "" })),
  ],
  [/^skerry\/catalog\/(?<name>.+)$/, (g) => withName(g, (name) => ({ kind: "catalog", name }))],
  [
    new RegExp(`^skerry/owners/${shardedHex}/(?<name>.+)$`),
    (g) => withNameAndDigest(g, (name, digest) => ({ kind: "owner", digest, name })),
  ],
  [/^skerry\/gc\/guard(?<none>)$/, () => ({ kind: "guard" })],
  [/^skerry\/gc\/state(?<none>)$/, () => ({ kind: "gcState" })],
  [/^skerry\/adopt\/state(?<none>)$/, () => ({ kind: "adoptState" })],
  [/^skerry\/gc\/reports\/(?<pass>\d+)$/, (g) => ({ kind: "gcReport", pass: g.pass ?? "" })],
  [/^skerry\/gc\/repositories\/(?<name>.+)$/, (g) => withName(g, (name) => ({ kind: "gcRepository", name }))],
  [
    new RegExp(`^skerry/gc/orphans/${shardedHex}$`),
    (g) => withDigest(g, (digest) => ({ kind: "orphan", digest })),
  ],
  [/^skerry\/keys\/upload(?<none>)$/, () => ({ kind: "uploadKey" })],
  [
    /^skerry\/accounts\/(?<account>[a-z0-9]+(?:[._-][a-z0-9]+)*)$/,
    (g) => ({ kind: "account", account: g.account ?? "" }),
  ],
];

function withName(groups: Groups, make: (name: RepositoryName) => Key | undefined): Key | undefined {
  const name = tryParseRepositoryName(groups.name ?? "");
  return name && make(name);
}

function withDigest(groups: Groups, make: (digest: Digest) => Key | undefined): Key | undefined {
  const digest = tryParseDigest(`${groups.algorithm}:${groups.encoded}`);
  return digest && make(digest);
}

function withNameAndDigest(
  groups: Groups,
  make: (name: RepositoryName, digest: Digest) => Key | undefined,
): Key | undefined {
  return withName(groups, (name) => withDigest(groups, (digest) => make(name, digest)));
}

function withNameAndTag(
  groups: Groups,
  make: (name: RepositoryName, tag: Tag) => Key | undefined,
): Key | undefined {
  const tag = tryParseTag(groups.tag ?? "");
  return tag && withName(groups, (name) => make(name, tag));
}
