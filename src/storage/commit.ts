import type { Digest } from "../oci/digest.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { claim } from "./claim.ts";
import type { Content } from "./content.ts";
import { checkedBy } from "./data.ts";
import { GuardWatch } from "./guard.ts";
import { linkBlob } from "./layer-link.ts";
import { putInParts } from "./multipart.ts";
import { isBadDigest, isTooManyWrites } from "./r2-error.ts";
import type { Store } from "./store.ts";

/** How often a commit that sweeps or other writers get in the way of goes round before the client is asked to. */
const rounds = 6;

export interface BlobCommit {
  readonly name: RepositoryName;
  readonly digest: Digest;
  readonly content: Content;
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
  const { name, digest, content } = commit;
  const guard = await GuardWatch.begin(store);
  let proven = await content.proves(digest);
  let size: number | undefined;
  for (let round = 0; round < rounds; round++) {
    const [, present] = await Promise.all([claim(store, digest, name), sizeOf(store, digest)]);
    size = present;
    if (size === undefined) {
      size = await putContent(store, commit, round > 0);
      if (size === undefined) continue;
    } else if (!proven) {
      await prove(store, commit, round > 0);
    }
    proven = true;
    if (await guard.clean()) {
      await linkBlob(store, name, { digest, size });
      return;
    }
    await guard.waitUntilIdle();
  }
  throw retryLater(1, "the blob is being written by others");
}

async function sizeOf(store: Store, digest: Digest): Promise<number | undefined> {
  return (await store.bucket.head(store.layout.blobData(digest)))?.size;
}

/** Puts the content to its key. @returns its size, or undefined if others write that key: look again. */
async function putContent(store: Store, commit: BlobCommit, again: boolean): Promise<number | undefined> {
  const { digest, content } = commit;
  refuseSecondPass(content, again);
  const key = store.layout.blobData(digest);
  try {
    if (content.size > commit.singlePutLimit) await putInParts(store, key, digest, content);
    else await content.into((body) => store.bucket.put(key, body, checkedBy(digest)));
  } catch (error) {
    if (isBadDigest(error)) throw new RegistryError("DIGEST_INVALID", { detail: digest });
    if (!isTooManyWrites(error)) throw error;
    if (!content.repeatable) throw retryLater(1, "the blob is being written by others", { cause: error });
    await store.clock.sleep(300 + Math.random() * 900);
    return undefined;
  }
  return content.size;
}

/** Lets R2 check the content against the digest at a key of the session's own. */
async function prove(store: Store, commit: BlobCommit, again: boolean): Promise<void> {
  const { digest, content, proofKey } = commit;
  refuseSecondPass(content, again);
  try {
    if (content.size > commit.singlePutLimit) await putInParts(store, proofKey, digest, content);
    else await content.into((body) => store.bucket.put(proofKey, body, checkedBy(digest)));
  } catch (error) {
    if (isBadDigest(error)) throw new RegistryError("DIGEST_INVALID", { detail: digest });
    throw error;
  }
}

function refuseSecondPass(content: Content, again: boolean): void {
  if (again && !content.repeatable) throw retryLater(1, "the blob has to be sent again");
}
