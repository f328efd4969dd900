import { tryParseDigest } from "../../oci/digest.ts";
import type { Key } from "../../storage/key.ts";
import type { Checker } from "./checker.ts";

type LinkKey = Extract<Key, { kind: "layerLink" | "revisionLink" }>;

/**
 * Whether a link without Skerry's metadata is distribution's, or unreadable; either is told of. One that leads to
 * another digest of the same algorithm is a tombstone whose metadata a copy of the bucket lost.
 */
export async function isForeign(checker: Checker, object: R2Object, key: LinkKey): Promise<boolean> {
  const link = await checker.store.bucket.get(object.key);
  if (link === null) return false;
  const target = tryParseDigest(await link.text());
  if (target === undefined) {
    await checker.find({ kind: "unreadable", key: object.key });
    return true;
  }
  if (target !== key.digest) return false;
  checker.countForeign(key.name, "links");
  return true;
}
