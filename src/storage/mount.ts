import type { Digest } from "../oci/digest.ts";
import { type RepositoryName, tryParseRepositoryName } from "../oci/name.ts";
import { claim } from "./claim.ts";
import { GuardWatch } from "./guard.ts";
import { linkBlob } from "./layer-link.ts";
import { readLink } from "./link.ts";
import type { Store } from "./store.ts";

/** Repositories that an anonymous mount looks at before it gives up. */
const candidates = 20;

/**
 * Links a blob of another repository into this one without moving a byte (docs/protocols.md "Mount").
 * @returns false when the source does not have the blob, or garbage collection is at work: the client then
 *   uploads as usual.
 */
export async function mountBlob(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  from: RepositoryName,
): Promise<boolean> {
  const [guard, source] = await Promise.all([
    GuardWatch.begin(store),
    readLink(store, store.layout.layerLink(from, digest), digest),
  ]);
  // distribution keeps what was pushed by sha512 under its sha256: the bytes are not where a link of ours leads.
  return source.target === digest && linkHeld(store, name, digest, guard);
}

/**
 * Links a blob whose bytes are in the bucket, for whoever may have it.
 * @param guard begun before the caller looked at what lets him.
 * @returns false when the bytes are not there, or garbage collection is at work.
 */
export async function linkHeld(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  guard: GuardWatch,
): Promise<boolean> {
  await claim(store, digest, name);
  const [clean, data] = await Promise.all([guard.clean(), store.bucket.head(store.layout.blobData(digest))]);
  if (!clean || data === null) return false;
  await linkBlob(store, name, { digest, size: data.size });
  return true;
}

/**
 * A repository from which the caller may take the blob, found by the claims on it, or undefined.
 * @param mayPull whether the caller may pull from a repository.
 */
export async function findMountSource(
  store: Store,
  digest: Digest,
  mayPull: (name: RepositoryName) => boolean,
): Promise<RepositoryName | undefined> {
  const prefix = store.layout.owners(digest);
  const listed = await store.bucket.list({ prefix });
  let looked = 0;
  for (const { key } of listed.objects) {
    const name = tryParseRepositoryName(key.slice(prefix.length));
    if (name === undefined || !mayPull(name)) continue;
    if (looked++ === candidates) return undefined;
    const link = await readLink(store, store.layout.layerLink(name, digest), digest);
    if (link.target === digest) return name;
  }
  return undefined;
}
