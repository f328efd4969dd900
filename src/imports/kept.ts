import { type Digest, hasDigest } from "../oci/digest.ts";
import { manifestOf } from "../oci/manifest.ts";
import type { Store } from "../storage/store.ts";
import type { FetchedManifest } from "../upstream/fetch-manifest.ts";

/**
 * A manifest whose bytes were kept when the upstream gave it. Not to be asked for one that the upstream was not asked
 * for: the bytes may be those of a repository that nobody here may read.
 * @returns undefined if garbage collection took them.
 */
export async function readKept(store: Store, digest: Digest): Promise<FetchedManifest | undefined> {
  const object = await store.bucket.get(store.layout.blobData(digest));
  if (object === null) return undefined;
  const bytes = new Uint8Array(await object.arrayBuffer());
  const manifest = manifestOf(bytes);
  return manifest !== undefined && (await hasDigest(bytes, digest)) ? { digest, bytes, manifest } : undefined;
}
