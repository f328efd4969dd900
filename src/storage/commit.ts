import type { Digest } from "../oci/digest.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { claim } from "./claim.ts";
import type { Content } from "./content.ts";
import { checkedBy } from "./data.ts";
import type { GuardWatch } from "./guard.ts";
import { linkBlob } from "./layer-link.ts";
import { readLink } from "./link.ts";
import { putInParts } from "./multipart.ts";
import { isBadDigest, isTooManyWrites } from "./r2-error.ts";
import type { Store } from "./store.ts";

/** How often a commit that sweeps or other writers get in the way of goes round before the client is asked to. */
const rounds = 6;
/** How often a commit whose bytes were refused, and are gone, looks whether another one has made the link. */
const looks = 3;

export interface BlobCommit {
  readonly name: RepositoryName;
  readonly digest: Digest;
  readonly content: Content;
  /** Begun before anything that the commit relies on was looked at. */
  readonly guard: GuardWatch;
  /** Where content that is there already is put once more, so that R2 checks that the client has it. */
  readonly proofKey: string;
  /** Bytes up to which one put is used; above, an R2 multipart upload. */
  readonly singlePutLimit: number;
}

/**
 * Makes a blob part of a repository, by the steps of docs/protocols.md "Blob commit": claim, bytes, a look at
 * garbage collection, link. The bytes become addressable through a put that R2 checks against the digest, and
 * nobody gets a link without having shown the bytes.
 * @throws RegistryError DIGEST_INVALID (400) when the content has another digest: nothing is stored; 503 when
 *   the content cannot be handed over a second time and has to be sent again.
 */
export async function commitBlob(store: Store, commit: BlobCommit): Promise<void> {
  const { name, digest, content, guard } = commit;
  let proven = await content.proves(digest);
  let isSpent = false;
  for (let round = 0; round < rounds; round++) {
    const [, present] = await Promise.all([claim(store, digest, name), sizeOf(store, digest)]);
    if (present === undefined || !proven) {
      if (isSpent) throw retryLater(1, "the blob has to be sent again");
      isSpent = !content.repeatable;
      const key = present === undefined ? store.layout.blobData(digest) : commit.proofKey;
      if ((await put(store, commit, key)) === "refused") {
        if (isSpent && (await isLinkedByOthers(store, commit))) return;
        await pause(store);
        continue;
      }
    }
    proven = true;
    if (await guard.clean()) {
      await linkBlob(store, name, { digest, size: present ?? content.size });
      return;
    }
    await guard.waitUntilIdle();
  }
  throw retryLater(1, "the blob is being written by others");
}

async function sizeOf(store: Store, digest: Digest): Promise<number | undefined> {
  return (await store.bucket.head(store.layout.blobData(digest)))?.size;
}

/**
 * Puts the content under R2's check of its digest.
 * @returns "refused" when others write that key at this moment: nothing was stored.
 */
async function put(store: Store, commit: BlobCommit, key: string): Promise<"stored" | "refused"> {
  const { digest, content, singlePutLimit } = commit;
  try {
    if (content.size > singlePutLimit) await putInParts(store, key, digest, content);
    else await content.into((body) => store.bucket.put(key, body, checkedBy(digest)));
    return "stored";
  } catch (error) {
    if (isBadDigest(error)) throw new RegistryError("DIGEST_INVALID", { detail: digest });
    if (isTooManyWrites(error)) return "refused";
    throw error;
  }
}

/**
 * Whether the repository gets the blob from another client that pushes it at this moment. Then this one has what
 * he wanted, and no access that he did not have.
 */
async function isLinkedByOthers(store: Store, { name, digest }: BlobCommit): Promise<boolean> {
  const key = store.layout.layerLink(name, digest);
  for (let look = 0; look < looks; look++) {
    await pause(store);
    if ((await readLink(store, key, digest)).target === digest) return true;
  }
  return false;
}

/** R2 takes one write a second per key. */
function pause(store: Store): Promise<void> {
  return store.clock.sleep(300 + Math.random() * 900);
}
