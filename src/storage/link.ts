import { algorithmOf, type Digest, randomDigest, tryParseDigest } from "../oci/digest.ts";
import { packReferences } from "./packed-references.ts";
import { swap, type Version } from "./register.ts";
import type { Store } from "./store.ts";

/**
 * A layer link or a revision link: a register whose body is a digest, as distribution reads it. Skerry keeps
 * beside it, as metadata, what lets a HEAD be one read; its names are in lower case, because a copy by S3's API has
 * them as names of headers. A tombstone's body is a digest that no bytes have, so
 * that distribution answers 404 to it.
 */
export interface Link {
  /** undefined: there is no such key. */
  readonly version: Version;
  /** What the link leads to; undefined when the key is absent, a tombstone or unreadable. */
  readonly target?: Digest;
  /** Bytes of the target; undefined on a link that distribution wrote. */
  readonly size?: number;
  readonly mediaType?: string;
  /** Revision links: which life of the manifest this is; "" on a link that distribution wrote. */
  readonly generation: string;
  /** Revision links, tombstones included: the manifest's subject. */
  readonly subject?: Digest;
  /** Revision links: what the manifest refers to, as packReferences has it; undefined when only its bytes tell. */
  readonly packedReferences?: string;
  /** Tombstones of revisions: garbage collection made it, and all that the live link said is here still. */
  readonly isCollected?: boolean;
  /** Tombstones of revisions: the last tag that an unfinished delete has dealt with. */
  readonly untaggedUpTo?: string;
}

const absent: Link = { version: undefined, generation: "" };

/** Reads the link at `key`, the link of `digest`. One read; two for a link that distribution wrote. */
export async function readLink(store: Store, key: string, digest: Digest): Promise<Link> {
  const head = await store.bucket.head(key);
  if (head === null) return absent;
  return linkOf(head, digest) ?? readForeignLink(store, key, digest);
}

/** The link of `digest` as a head or a listing with metadata shows it; undefined if distribution wrote it. */
export function linkOf(object: R2Object, digest: Digest): Link | undefined {
  const metadata = object.customMetadata ?? {};
  if (metadata.tombstone !== undefined) return fromMetadata(object.etag, metadata);
  if (metadata.size === undefined) return undefined;
  return { ...fromMetadata(object.etag, metadata), target: digest };
}

/**
 * Whether what was set against the life `set` of a manifest is of the life `live`, the one that its revision link
 * has now. A link of distribution's has none, "": it may have been written over the link of any life, which goes on.
 */
export function isSameLife(live: string, set: string): boolean {
  return live === "" || live === set;
}

/** What a live link says; the body is `digest`. */
export interface LinkFacts {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType?: string;
  readonly generation?: string;
  readonly subject?: Digest | undefined;
  readonly references?: readonly Digest[];
}

/** Body and metadata of a live link. */
export function liveLink(facts: LinkFacts): { body: string; metadata: Record<string, string> } {
  const metadata: Record<string, string> = { size: String(facts.size) };
  if (facts.mediaType !== undefined) metadata["media-type"] = facts.mediaType;
  if (facts.generation !== undefined) metadata.generation = facts.generation;
  if (facts.subject !== undefined) metadata.subject = facts.subject;
  const references = facts.references && packReferences(facts.references);
  if (references !== undefined) metadata.references = references;
  return { body: facts.digest, metadata };
}

/** The metadata of a revision's tombstone that garbage collection made. */
const collected = "collected";

/**
 * Makes a manifest live again that garbage collection removed, with the generation that it had. The body of its
 * tombstone is random, so nothing that was written since is undone.
 * @returns the new version, or undefined if another writer was first.
 */
export function swapBack(store: Store, key: string, digest: Digest, tombstone: Link): Promise<Version> {
  return swap(store, key, tombstone.version, digest, factsOf(tombstone, digest));
}

/** Swaps the link of a manifest that nobody needs to a tombstone, from which a put that needs it makes it live again. */
export function swapToCollected(store: Store, key: string, digest: Digest, link: Link): Promise<Version> {
  const metadata = { ...factsOf(link, digest), tombstone: "1", [collected]: "1" };
  return swap(store, key, link.version, randomDigest(), metadata);
}

function factsOf(link: Link, digest: Digest): Record<string, string> {
  const { size = 0, packedReferences, mediaType, generation, subject } = link;
  const { metadata } = liveLink({ digest, size, generation, subject, ...(mediaType && { mediaType }) });
  return { ...metadata, ...(packedReferences !== undefined && { references: packedReferences }) };
}

/**
 * Swaps a link to a tombstone; what a repeated delete needs to know stays with it.
 * @returns the new version, or undefined if another writer was first.
 */
export function swapToTombstone(
  store: Store,
  key: string,
  link: Link,
  untaggedUpTo?: string,
): Promise<Version> {
  const metadata: Record<string, string> = { tombstone: "1" };
  if (link.subject !== undefined) metadata.subject = link.subject;
  if (untaggedUpTo !== undefined) metadata["untagged-up-to"] = untaggedUpTo;
  return swap(store, key, link.version, randomDigest(), metadata);
}

function fromMetadata(version: string, metadata: Record<string, string>): Link {
  const subject = tryParseDigest(metadata.subject ?? "");
  return {
    version,
    generation: metadata.generation ?? "",
    ...(metadata.size !== undefined && { size: Number(metadata.size) }),
    ...(metadata["media-type"] !== undefined && { mediaType: metadata["media-type"] }),
    ...(metadata[collected] !== undefined && { isCollected: true }),
    ...(metadata["untagged-up-to"] !== undefined && { untaggedUpTo: metadata["untagged-up-to"] }),
    ...(subject && { subject }),
    ...(metadata.references !== undefined && { packedReferences: metadata.references }),
  };
}

async function readForeignLink(store: Store, key: string, digest: Digest): Promise<Link> {
  const object = await store.bucket.get(key);
  if (object === null) return absent;
  const target = tryParseDigest(await object.text());
  const follows = target !== undefined && mayLeadTo(digest, target);
  return { version: object.etag, generation: "", ...(follows && { target }) };
}

/**
 * Whether a link of `digest` whose body is `target` is live. distribution links a sha512 to the sha256 under which
 * it keeps the bytes; any other digest than the link's own is a tombstone whose metadata a copy of the bucket
 * lost, or damage.
 */
export function mayLeadTo(digest: Digest, target: Digest): boolean {
  return target === digest || algorithmOf(target) !== algorithmOf(digest);
}
