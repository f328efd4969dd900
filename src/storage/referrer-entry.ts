import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { readLink } from "./link.ts";
import { swap, whenWritable } from "./register.ts";
import type { Store } from "./store.ts";

/**
 * The index of referrers: one object for each manifest with a subject, below its subject. Its body is what the
 * referrers list says of it, repeated in the metadata when it fits, so that a listing alone can answer.
 */
export interface ReferrerEntry {
  readonly subject: Digest;
  readonly descriptor: Descriptor;
  /** The life of the manifest that this entry speaks of. */
  readonly generation: string;
}

/** Bytes of the descriptor up to which it is repeated in the metadata; R2 takes 8,192 in all. */
const metadataLimit = 7 * 1024;

/** Writes the entry of a live manifest. */
export async function putReferrer(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  entry: ReferrerEntry,
): Promise<void> {
  const { generation, descriptor, subject } = entry;
  const body = JSON.stringify({ generation, descriptor });
  const copy = asciiJson(descriptor);
  const customMetadata: Record<string, string> =
    copy.length <= metadataLimit ? { generation, descriptor: copy } : { generation };
  await whenWritable(store, () =>
    store.bucket.put(store.layout.referrer(name, subject, digest), body, { customMetadata }),
  );
}

/** The generation that the entry of a manifest speaks of, or undefined if it is not listed: one read. */
export async function listedReferrer(
  store: Store,
  name: RepositoryName,
  subject: Digest,
  digest: Digest,
): Promise<string | undefined> {
  const head = await store.bucket.head(store.layout.referrer(name, subject, digest));
  return head?.customMetadata?.generation;
}

/**
 * Takes a manifest off its subject's list, unless the entry speaks of the life that the manifest has now. A swap
 * to a tombstone, not a delete: a late delete could take away the entry of a manifest that was pushed again.
 */
export async function unlistReferrer(
  store: Store,
  name: RepositoryName,
  subject: Digest,
  digest: Digest,
): Promise<void> {
  const key = store.layout.referrer(name, subject, digest);
  const head = await store.bucket.head(key);
  const generation = head?.customMetadata?.generation;
  if (head === null || generation === undefined) return;
  // After the entry: a life that begins between the two reads writes an entry that this swap cannot hit.
  const revision = await readLink(store, store.layout.revisionLink(name, digest), digest);
  if (revision.target !== undefined && revision.generation === generation) return;
  await swap(store, key, head.etag, `{"tombstone":"${crypto.randomUUID()}"}`, { tombstone: "1" });
}

/** JSON in ASCII alone, since object metadata travels in headers. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
