import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { ByteRange } from "../oci/range.ts";
import { readLink } from "./link.ts";
import type { Store } from "./store.ts";

/** A blob of a repository. */
export interface Blob {
  /** The digest under which the bytes lie. */
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A blob with its bytes. */
export interface OpenBlob extends Blob {
  readonly body: ReadableStream;
}

/** The blob, if the repository links it: one read. Another repository's blobs are invisible. */
export async function statBlob(
  store: Store,
  name: RepositoryName,
  digest: Digest,
): Promise<Blob | undefined> {
  const link = await readLink(store, store.layout.layerLink(name, digest), digest);
  if (link.target === undefined) return undefined;
  if (link.size !== undefined) return { digest: link.target, size: link.size };
  const data = await store.bucket.head(store.layout.blobData(link.target));
  return data === null ? undefined : { digest: link.target, size: data.size };
}

/** The blob with its bytes: link and bytes are read at once. */
export async function openBlob(
  store: Store,
  name: RepositoryName,
  digest: Digest,
): Promise<OpenBlob | undefined> {
  const [link, data] = await Promise.all([
    readLink(store, store.layout.layerLink(name, digest), digest),
    store.bucket.get(store.layout.blobData(digest)),
  ]);
  if (link.target === digest && data !== null) return { digest, size: data.size, body: data.body };
  await data?.body.cancel();
  if (link.target === undefined || link.target === digest) return undefined;
  const followed = await store.bucket.get(store.layout.blobData(link.target));
  return followed === null ? undefined : { digest: link.target, size: followed.size, body: followed.body };
}

/** A stretch of a blob's bytes, or undefined if they are gone. The range must lie within the blob. */
export async function openRange(
  store: Store,
  blob: Blob,
  range: ByteRange,
): Promise<ReadableStream | undefined> {
  const object = await store.bucket.get(store.layout.blobData(blob.digest), { range });
  return object?.body;
}
