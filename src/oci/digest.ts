import { RegistryError } from "./error.ts";

export type Algorithm = "sha256" | "sha512";

/** A checked digest, `<algorithm>:<lower-case hex>` (image-spec, descriptor.md "Digests"). */
export type Digest = string & { readonly __brand: "Digest" };

const encodedLength: Readonly<Record<Algorithm, number>> = { sha256: 64, sha512: 128 };
const subtleName: Readonly<Record<Algorithm, string>> = { sha256: "SHA-256", sha512: "SHA-512" };

/** The algorithm of that name, or undefined if Skerry does not verify it. */
export function parseAlgorithm(text: string): Algorithm | undefined {
  return text === "sha256" || text === "sha512" ? text : undefined;
}

/** The digest that `text` is, or undefined: unknown algorithm, wrong length, or anything but lower-case hex. */
export function tryParseDigest(text: string): Digest | undefined {
  const colon = text.indexOf(":");
  const algorithm = parseAlgorithm(text.slice(0, Math.max(colon, 0)));
  if (algorithm === undefined) return undefined;
  const encoded = text.slice(colon + 1);
  return encoded.length === encodedLength[algorithm] && /^[0-9a-f]+$/.test(encoded)
    ? (text as Digest)
    : undefined;
}

/**
 * The digest that `text` is.
 * @throws RegistryError DIGEST_INVALID (400) for every other text, unsupported algorithms included.
 */
export function parseDigest(text: string): Digest {
  const digest = tryParseDigest(text);
  if (digest === undefined) {
    throw new RegistryError("DIGEST_INVALID", {
      message: "invalid digest: sha256 or sha512 in lower-case hex expected",
      detail: text.slice(0, 256),
    });
  }
  return digest;
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** The hex part: 64 characters for sha256, 128 for sha512. */
export function encodedOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

export function digestFrom(algorithm: Algorithm, encoded: string): Digest {
  return `${algorithm}:${encoded}` as Digest;
}

export function toHex(bytes: ArrayBuffer | Uint8Array): string {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  let text = "";
  for (const byte of view) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The digest of these bytes. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>, algorithm: Algorithm): Promise<Digest> {
  return digestFrom(algorithm, toHex(await crypto.subtle.digest(subtleName[algorithm], bytes)));
}

/** Whether these bytes have the digest. */
export async function hasDigest(bytes: Uint8Array<ArrayBuffer>, digest: Digest): Promise<boolean> {
  return (await digestOf(bytes, algorithmOf(digest))) === digest;
}

/** A digest in form that no bytes have (2^-256): what a tombstone says where distribution reads a link. */
export function randomDigest(): Digest {
  return digestFrom("sha256", toHex(crypto.getRandomValues(new Uint8Array(32))));
}
