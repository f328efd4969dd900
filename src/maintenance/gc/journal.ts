import { type Digest, tryParseDigest } from "../../oci/digest.ts";
import { type RepositoryName, tryParseRepositoryName } from "../../oci/name.ts";
import type { Store } from "../../storage/store.ts";

/** A repository's claim on a blob. */
export interface Claim {
  readonly digest: Digest;
  readonly name: RepositoryName;
}

/**
 * Writes down claims that may have no link, or are about to lose it, for a pass to look at them whatever their age.
 * Each such object has a key of its own, so that a write or delete which lands late is about no other one.
 * @returns its key.
 */
export async function writeJournal(store: Store, claims: readonly Claim[]): Promise<string> {
  const key = store.layout.gcJournal(crypto.randomUUID());
  await store.bucket.put(key, printJournal(claims));
  return key;
}

export function printJournal(claims: readonly Claim[]): string {
  return claims.map(({ digest, name }) => `${digest} ${name}\n`).join("");
}

/** Lines that say nothing of a claim are passed over. */
export function parseJournal(text: string): readonly Claim[] {
  return text.split("\n").flatMap((line) => {
    const [first = "", second = ""] = line.split(" ");
    const digest = tryParseDigest(first);
    const name = tryParseRepositoryName(second);
    return digest === undefined || name === undefined ? [] : [{ digest, name }];
  });
}
