import { type Descriptor, descriptorOf } from "../oci/descriptor.ts";
import { type Digest, tryParseDigest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { mapBounded } from "./bounded.ts";
import type { Store } from "./store.ts";

/** Bytes of descriptors on one page: an index of them stays well under the 4 MiB that clients accept. */
const pageBytes = 3 * 1024 * 1024;

export interface ReferrersPage {
  readonly descriptors: readonly Descriptor[];
  /** Where the next page goes on; undefined when this is the last. */
  readonly next: Digest | undefined;
}

/**
 * The manifests of the repository whose subject is `subject`: one list for each page that R2 returns, and a read
 * for each descriptor too large for metadata.
 * @param artifactType only these, if given.
 * @param last referrers up to and including this one are left out.
 */
export async function listReferrers(
  store: Store,
  name: RepositoryName,
  subject: Digest,
  artifactType: string | undefined,
  last: Digest | undefined,
): Promise<ReferrersPage> {
  const prefix = store.layout.referrers(name, subject);
  const descriptors: Descriptor[] = [];
  let bytes = 0;
  let lastTaken: Digest | undefined;
  let startAfter = last && store.layout.referrer(name, subject, last);
  for (;;) {
    const page = await store.bucket.list({
      prefix,
      include: ["customMetadata"],
      ...(startAfter !== undefined && { startAfter }),
    });
    const found = await mapBounded(page.objects, store.concurrency, (object) => describe(store, object));
    for (const [index, descriptor] of found.entries()) {
      const key = page.objects[index]?.key ?? "";
      startAfter = key;
      if (descriptor === undefined) continue;
      if (artifactType !== undefined && descriptor.artifactType !== artifactType) continue;
      bytes += JSON.stringify(descriptor).length;
      if (bytes > pageBytes && lastTaken !== undefined) return { descriptors, next: lastTaken };
      descriptors.push(descriptor);
      lastTaken = tryParseDigest(key.slice(prefix.length).replace("-", ":"));
    }
    if (!page.truncated) return { descriptors, next: undefined };
  }
}

/** What an entry says; undefined for the tombstone of a deleted referrer. */
async function describe(store: Store, object: R2Object): Promise<Descriptor | undefined> {
  const { tombstone, descriptor } = object.customMetadata ?? {};
  if (tombstone !== undefined) return undefined;
  if (descriptor !== undefined) return descriptorOf(JSON.parse(descriptor));
  const entry = await store.bucket.get(object.key);
  return entry === null ? undefined : descriptorOf((await entry.json<{ descriptor?: unknown }>()).descriptor);
}
