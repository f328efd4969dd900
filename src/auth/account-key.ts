import { base64url } from "jose";
import { type Digest, digestOf, tryParseDigest } from "../oci/digest.ts";

const prefix = "skerry_";
const keyBytes = 32;
const keyPattern = /^skerry_[A-Za-z0-9_-]{43}$/;
/** What a key is compared with when there is no such account; no key has this hash (2^-256). */
const noHash = `sha256:${"0".repeat(64)}` as Digest;

/** A key of an account, which only its owner keeps, and the hash by which the registry knows it. */
export interface AccountKey {
  readonly key: string;
  readonly hash: Digest;
}

/** A new key: 256 random bits behind a prefix by which scanners for leaked secrets can tell it. */
export async function makeAccountKey(): Promise<AccountKey> {
  const key = prefix + base64url.encode(crypto.getRandomValues(new Uint8Array(keyBytes)));
  return { key, hash: await hashOf(key) };
}

/**
 * Whether `presented` is the key of this hash. Takes as long for no hash at all as for a wrong key.
 *
 * A fast hash is enough, and fits into 10 ms of CPU: nobody can try 2^256 keys, and a slow hash only helps where
 * people choose passwords. Those are refused, whatever hash is configured: a key has the form of a made one.
 */
export async function isAccountKey(presented: string, hash: Digest | undefined): Promise<boolean> {
  const encoder = new TextEncoder();
  const ours = encoder.encode(hash ?? noHash);
  const theirs = encoder.encode(await hashOf(presented));
  const isSame = crypto.subtle.timingSafeEqual(ours, theirs);
  return isSame && keyPattern.test(presented);
}

/** The hash of a key that `text` is, or undefined: sha256 alone. */
export function tryParseKeyHash(text: string): Digest | undefined {
  return text.startsWith("sha256:") ? tryParseDigest(text) : undefined;
}

function hashOf(key: string): Promise<Digest> {
  return digestOf(new Uint8Array(new TextEncoder().encode(key)), "sha256");
}
