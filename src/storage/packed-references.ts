import { type Algorithm, algorithmOf, type Digest, digestFrom, encodedOf, toHex } from "../oci/digest.ts";

/**
 * What a manifest refers to, packed into the metadata of its revision link, so that garbage collection learns it
 * from a listing and reads no manifest. Each digest is a byte for its algorithm and its bytes; all of them in
 * base64.
 */
const algorithms: readonly Algorithm[] = ["sha256", "sha512"];
const lengths: Readonly<Record<Algorithm, number>> = { sha256: 32, sha512: 64 };

/** Characters that metadata has room for beside the rest; R2 takes 8,192 bytes in all. */
const limit = 6 * 1024;

/** The packed form, or undefined if it does not fit: then only the manifest's bytes tell. */
export function packReferences(digests: readonly Digest[]): string | undefined {
  const bytes = digests.flatMap((digest) => {
    const encoded = encodedOf(digest);
    const pairs = encoded.match(/../g) ?? [];
    return [algorithms.indexOf(algorithmOf(digest)), ...pairs.map((pair) => Number.parseInt(pair, 16))];
  });
  if ((bytes.length * 4) / 3 > limit) return undefined;
  return btoa(bytes.map((byte) => String.fromCharCode(byte)).join(""));
}

/** The digests, or undefined for a text that is none or damaged. */
export function unpackReferences(packed: string | undefined): readonly Digest[] | undefined {
  if (packed === undefined) return undefined;
  const bytes = decode(packed);
  if (bytes === undefined) return undefined;
  const digests: Digest[] = [];
  for (let at = 0; at < bytes.length; ) {
    const algorithm = algorithms[bytes[at] ?? -1];
    if (algorithm === undefined) return undefined;
    const end = at + 1 + lengths[algorithm];
    if (end > bytes.length) return undefined;
    digests.push(digestFrom(algorithm, toHex(bytes.subarray(at + 1, end))));
    at = end;
  }
  return digests;
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
