import { retryLater } from "../oci/error.ts";
import { isTooManyWrites } from "./r2-error.ts";
import type { Store } from "./store.ts";

/**
 * A register is a key that holds truth. It is changed by compare-and-swap and never deleted by a request,
 * because R2's delete has no condition: a late one would destroy what came after it. Removing is a swap to a
 * tombstone. See docs/protocols.md.
 */

/** The version of a register: R2's etag, or undefined for a key that does not exist. */
export type Version = string | undefined;

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream;

/** Waits between the tries of one write, in milliseconds; R2 takes one write a second per key. */
const waits = [300, 600, 900, 1200] as const;

/**
 * Writes `body` if the register still has `version`.
 * @returns the new version, or undefined if another writer was first: read again.
 * @throws RegistryError 503 when R2 goes on answering that the key is written too often.
 */
export async function swap(
  store: Store,
  key: string,
  version: Version,
  body: string,
  customMetadata: Record<string, string>,
): Promise<Version> {
  const onlyIf = version === undefined ? { etagDoesNotMatch: "*" } : { etagMatches: version };
  const object = await whenWritable(store, () => store.bucket.put(key, body, { onlyIf, customMetadata }));
  return object?.etag;
}

/**
 * Writes a key that is written once. A stream must have a known length.
 * @returns false if the key existed: it is as it was.
 */
export async function createOnce(
  store: Store,
  key: string,
  body: Body,
  customMetadata: Record<string, string> = {},
): Promise<boolean> {
  const object = await store.bucket.put(key, body, { onlyIf: { etagDoesNotMatch: "*" }, customMetadata });
  return object !== null;
}

/**
 * Repeats a write that R2 refuses with "one write a second per key", with growing and jittered waits. The write
 * must be repeatable: its body is no stream.
 * @throws RegistryError 503 with Retry-After after the last try.
 */
export async function whenWritable<Result>(store: Store, write: () => Promise<Result>): Promise<Result> {
  for (const wait of waits) {
    try {
      return await write();
    } catch (error) {
      if (!isTooManyWrites(error)) throw error;
      await store.clock.sleep(wait * (0.5 + Math.random()));
    }
  }
  try {
    return await write();
  } catch (error) {
    if (isTooManyWrites(error)) throw retryLater(2, "this is being written too often", { cause: error });
    throw error;
  }
}
