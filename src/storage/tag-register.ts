import { type Digest, tryParseDigest } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { swap, type Version } from "./register.ts";
import type { Store } from "./store.ts";

/** What a tag names. */
export interface TagTarget {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly size: number;
  /** The life of the manifest that the tag was set against; the tag is dead when the revision has another. */
  readonly generation: string;
}

/** An earlier or present value of a tag. */
export interface TagEvent {
  readonly digest: Digest;
  /** When the tag was set to it; Unix time in milliseconds. */
  readonly at: number;
}

/** A tag as its register's metadata tells it. */
export interface TagHead {
  readonly version: Version;
  /** undefined: the tag was never set, or was removed. */
  readonly target?: TagTarget;
  /** When it was set or removed; Unix time in milliseconds. */
  readonly at: number;
}

/** A tag with its history. */
export interface TagState extends TagHead {
  /** Newest first; the first is the present value unless the tag was removed. At most `historyLength`. */
  readonly history: readonly TagEvent[];
  /** Who removed the tag, if it was not a request. */
  readonly reason?: RemovalReason;
}

/** Why a tag was removed without a request. */
export type RemovalReason = "retention";

const historyLength = 100;
const absent: TagState = { version: undefined, at: 0, history: [] };

interface Body {
  readonly state: "live" | "tombstone";
  readonly digest?: string;
  readonly mediaType?: string;
  readonly size?: number;
  readonly generation?: string;
  readonly at: number;
  /** Makes every body, and so every version, another one: a stale swap can never succeed. */
  readonly nonce: string;
  readonly reason?: RemovalReason;
  readonly history: readonly { readonly digest: string; readonly at: number }[];
}

/** The tag with its history: one read. */
export async function readTag(store: Store, name: RepositoryName, tag: Tag): Promise<TagState> {
  const object = await store.bucket.get(store.layout.tag(name, tag));
  if (object === null) return absent;
  const body = await object.json<Body>();
  const target = targetOf(body);
  return {
    version: object.etag,
    at: body.at,
    history: body.history.flatMap(({ digest, at }) => {
      const parsed = tryParseDigest(digest);
      return parsed === undefined ? [] : [{ digest: parsed, at }];
    }),
    ...(target && { target }),
    ...(body.reason && { reason: body.reason }),
  };
}

/** The tag without its history: one read and no body; two where a copy of the bucket lost the metadata. */
export async function readTagHead(store: Store, name: RepositoryName, tag: Tag): Promise<TagHead> {
  const head = await store.bucket.head(store.layout.tag(name, tag));
  if (head === null) return absent;
  return tagHeadOf(head) ?? readTag(store, name, tag);
}

/** The tag as a listing with metadata shows it, or undefined where the metadata is missing. */
export function tagHeadOf(object: R2Object): TagHead | undefined {
  const metadata = object.customMetadata ?? {};
  if (metadata.state === undefined) return undefined;
  // A copy of the bucket may know it by another name, and so may one that an early version of Skerry wrote.
  if (metadata.state === "live" && metadata["media-type"] === undefined) return undefined;
  const target = targetOf({
    ...metadata,
    state: metadata.state,
    size: Number(metadata.size),
    ...(metadata["media-type"] !== undefined && { mediaType: metadata["media-type"] }),
  });
  return { version: object.etag, at: Number(metadata.at), ...(target && { target }) };
}

/**
 * Sets a tag by swap.
 * @param at when the tag was set, Unix time in milliseconds: now, unless it was set elsewhere before.
 * @returns the new state, or undefined if another writer was first.
 */
export function swapTag(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  before: TagState,
  target: TagTarget,
  at: number = store.clock.now(),
): Promise<TagState | undefined> {
  const history = [{ digest: target.digest, at }, ...before.history].slice(0, historyLength);
  return write(store, name, tag, { version: before.version, at, target, history });
}

/** Removes a tag by a swap to a tombstone that keeps its history. @returns as swapTag. */
export function swapTagToTombstone(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  before: TagState,
  reason?: RemovalReason,
): Promise<TagState | undefined> {
  return write(store, name, tag, {
    version: before.version,
    at: store.clock.now(),
    history: before.history,
    ...(reason && { reason }),
  });
}

async function write(
  store: Store,
  name: RepositoryName,
  tag: Tag,
  state: TagState,
): Promise<TagState | undefined> {
  const { target, at, history, reason } = state;
  const facts = { state: target === undefined ? "tombstone" : "live", ...target } as const;
  const body: Body = { ...facts, at, nonce: crypto.randomUUID(), ...(reason && { reason }), history };
  const metadata: Record<string, string> = { state: facts.state, at: String(at) };
  if (target !== undefined) {
    metadata.digest = target.digest;
    metadata["media-type"] = target.mediaType;
    metadata.size = String(target.size);
    metadata.generation = target.generation;
  }
  const version = await swap(
    store,
    store.layout.tag(name, tag),
    state.version,
    JSON.stringify(body),
    metadata,
  );
  return version === undefined ? undefined : { ...state, version };
}

function targetOf(facts: {
  readonly state: string;
  readonly digest?: string;
  readonly mediaType?: string;
  readonly size?: number;
  readonly generation?: string;
}): TagTarget | undefined {
  const digest = tryParseDigest(facts.digest ?? "");
  if (facts.state !== "live" || digest === undefined || facts.mediaType === undefined) return undefined;
  return {
    digest,
    mediaType: facts.mediaType,
    size: facts.size ?? 0,
    generation: facts.generation ?? "",
  };
}
