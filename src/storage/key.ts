import { type Digest, tryParseDigest } from "../oci/digest.ts";
import { type RepositoryName, type Tag, tryParseRepositoryName, tryParseTag } from "../oci/name.ts";

/**
 * Every key that Skerry keeps in R2, as a value. docs/storage.md says of each what it holds, who writes it, who
 * reads it and who removes it. `blobData`, `layerLink`, `revisionLink` and `currentLink` are byte for byte those
 * of distribution, `tagIndexLink` is its alone; the others sit where distribution ignores them.
 */
export type Key =
  | { readonly kind: "blobData"; readonly digest: Digest }
  | { readonly kind: "layerLink"; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: "revisionLink"; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: "currentLink"; readonly name: RepositoryName; readonly tag: Tag }
  | {
      readonly kind: "tagIndexLink";
      readonly name: RepositoryName;
      readonly tag: Tag;
      readonly digest: Digest;
    }
  | { readonly kind: "tag"; readonly name: RepositoryName; readonly tag: Tag }
  | { readonly kind: "tagged"; readonly name: RepositoryName; readonly digest: Digest; readonly tag: Tag }
  | { readonly kind: "pulledTag"; readonly name: RepositoryName; readonly tag: Tag }
  | { readonly kind: "pullsRecorded"; readonly name: RepositoryName }
  | { readonly kind: "untagged"; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: "pulledDigest"; readonly name: RepositoryName; readonly digest: Digest }
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
  | { readonly kind: "gcJournal"; readonly id: string }
  | { readonly kind: "gcState" }
  | { readonly kind: "gcReport"; readonly pass: string }
  | { readonly kind: "adoptState" }
  | { readonly kind: "foreignMark" }
  | { readonly kind: "uploadKey" }
  | { readonly kind: "account"; readonly account: string }
  | { readonly kind: "importJob"; readonly id: string };

/** Digits of a segment's offset: enough for 10^15 bytes, and a listing in key order is one in offset order. */
export const offsetDigits = 15;

/** What a path below the registry's root is, or undefined if it is none of Skerry's. */
export function parseKey(path: string): Key | undefined {
  for (const [pattern, read] of readers) {
    const groups = pattern.exec(path)?.groups;
    if (groups !== undefined) return read(groups);
  }
  return undefined;
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
    new RegExp(`${repository}_manifests/tags/(?<tag>[^/]+)/index/${hex}/link$`),
    (g) =>
      withNameAndTag(g, (name, tag) =>
        withDigest(g, (digest) => ({ kind: "tagIndexLink", name, tag, digest })),
      ),
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
    new RegExp(`${repository}_skerry/pulled/tags/(?<tag>[^/]+)$`),
    (g) => withNameAndTag(g, (name, tag) => ({ kind: "pulledTag", name, tag })),
  ],
  [
    new RegExp(`${repository}_skerry/pulled/since$`),
    (g) => withName(g, (name) => ({ kind: "pullsRecorded", name })),
  ],
  [
    new RegExp(`${repository}_skerry/untagged/${hex}$`),
    (g) => withNameAndDigest(g, (name, digest) => ({ kind: "untagged", name, digest })),
  ],
  [
    new RegExp(`${repository}_skerry/pulled/digests/${hex}$`),
    (g) => withNameAndDigest(g, (name, digest) => ({ kind: "pulledDigest", name, digest })),
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
  [/^skerry\/adopt\/foreign(?<none>)$/, () => ({ kind: "foreignMark" })],
  [/^skerry\/gc\/reports\/(?<pass>\d+)$/, (g) => ({ kind: "gcReport", pass: g.pass ?? "" })],
  [/^skerry\/gc\/journal\/(?<id>[0-9a-f-]{36})$/, (g) => ({ kind: "gcJournal", id: g.id ?? "" })],
  [/^skerry\/gc\/repositories\/(?<name>.+)$/, (g) => withName(g, (name) => ({ kind: "gcRepository", name }))],
  [
    new RegExp(`^skerry/gc/orphans/${shardedHex}$`),
    (g) => withDigest(g, (digest) => ({ kind: "orphan", digest })),
  ],
  [/^skerry\/imports\/(?<id>[0-9a-f-]{36})$/, (g) => ({ kind: "importJob", id: g.id ?? "" })],
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
