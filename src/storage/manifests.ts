import type { Digest } from "../oci/digest.ts";
import { manifestOf } from "../oci/manifest.ts";
import { ociManifest } from "../oci/media-type.ts";
import type { RepositoryName } from "../oci/name.ts";
import { isSameLife, type Link, readLink } from "./link.ts";
import type { Store } from "./store.ts";

/** A manifest of a repository, without its bytes. */
export interface ManifestHead {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
}

export interface StoredManifest extends ManifestHead {
  /** Which life of the manifest this is; "" for what distribution wrote. */
  readonly generation: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The manifest's facts, if the repository has it: one read, two for what distribution wrote. */
export async function statManifest(
  store: Store,
  name: RepositoryName,
  digest: Digest,
): Promise<ManifestHead | undefined> {
  const link = await readLink(store, store.layout.revisionLink(name, digest), digest);
  if (link.target === undefined) return undefined;
  const { size, mediaType } = link;
  if (size !== undefined && mediaType !== undefined) return { digest, size, mediaType };
  return readBytes(store, digest, link);
}

/**
 * The manifest, if the repository has it: link and bytes are read at once.
 * @param generation the life of the manifest that is wanted; undefined for whichever it lives in.
 */
export async function readManifest(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  generation?: string,
): Promise<StoredManifest | undefined> {
  const [link, data] = await Promise.all([
    readLink(store, store.layout.revisionLink(name, digest), digest),
    store.bucket.get(store.layout.blobData(digest)),
  ]);
  if (data === null) return undefined;
  if (link.target === undefined || (generation !== undefined && !isSameLife(link.generation, generation))) {
    await data.body.cancel();
    return undefined;
  }
  return withType(digest, link, new Uint8Array(await data.arrayBuffer()));
}

async function readBytes(store: Store, digest: Digest, link: Link): Promise<StoredManifest | undefined> {
  const data = await store.bucket.get(store.layout.blobData(digest));
  return data === null ? undefined : withType(digest, link, new Uint8Array(await data.arrayBuffer()));
}

/** The pushed media type is kept with the link; that of what distribution wrote is in the bytes. */
function withType(digest: Digest, link: Link, bytes: Uint8Array<ArrayBuffer>): StoredManifest {
  const mediaType = link.mediaType ?? manifestOf(bytes)?.mediaType ?? ociManifest;
  return { digest, mediaType, size: bytes.byteLength, generation: link.generation, bytes };
}
