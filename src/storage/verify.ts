import type { Digest } from "../oci/digest.ts";
import { errorEntry, RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { Reference } from "../oci/reference.ts";
import { mapBounded } from "./bounded.ts";
import { claim } from "./claim.ts";
import { liveLink, readLink, swapBack } from "./link.ts";
import { createOnce } from "./register.ts";
import type { Store } from "./store.ts";

/**
 * After a sweep of garbage collection ran beside a manifest PUT: puts back the claims and links of what the
 * manifest refers to (docs/protocols.md "Verify").
 * @throws RegistryError 400 with one MANIFEST_BLOB_UNKNOWN for each reference whose bytes are gone. A revision
 *   that is already live is not undone: another client's 201 may rest on it.
 */
export async function restoreAfterSweep(
  store: Store,
  name: RepositoryName,
  references: readonly Reference[],
): Promise<void> {
  const { bucket, layout } = store;
  const required = references.filter((reference) => reference.required);
  const present = await mapBounded(required, store.concurrency, async (reference) => {
    const data = await bucket.head(layout.blobData(reference.digest));
    if (data === null) return false;
    if (reference.kind === "manifest") return isRevision(store, name, reference.digest);
    await claim(store, reference.digest, name);
    // Only where the sweep took the link: one that a request made a tombstone stays deleted.
    const link = liveLink({ digest: reference.digest, size: data.size });
    await createOnce(store, layout.layerLink(name, reference.digest), link.body, link.metadata);
    return true;
  });
  const [first, ...others] = required
    .filter((_, index) => !present[index])
    .map((reference) => errorEntry("MANIFEST_BLOB_UNKNOWN", reference.digest));
  if (first !== undefined) throw RegistryError.of([first, ...others]);
}

/** Whether a child is live, made so again if the sweep took it because nothing needed it. */
async function isRevision(store: Store, name: RepositoryName, digest: Digest): Promise<boolean> {
  const key = store.layout.revisionLink(name, digest);
  const link = await readLink(store, key, digest);
  // One with a subject has lost its place in the list of referrers, which only its own put makes anew.
  if (!link.isCollected || link.subject !== undefined) return link.target !== undefined;
  await claim(store, digest, name);
  if ((await swapBack(store, key, digest, link)) !== undefined) return true;
  return (await readLink(store, key, digest)).target !== undefined;
}
