import { algorithmOf, type Digest, encodedOf } from "../../oci/digest.ts";
import type { Checker } from "./checker.ts";

/** Reads and hashes data, if that is wanted. */
export async function checkData(checker: Checker, digest: Digest): Promise<void> {
  const { hash } = checker.options;
  if (hash === undefined) return;
  const data = await checker.store.bucket.get(checker.store.layout.blobData(digest));
  if (data === null) return;
  if ((await hash(data.body, algorithmOf(digest))) === encodedOf(digest)) return;
  await checker.find({ kind: "wrong digest", digest });
}
