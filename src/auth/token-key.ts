import * as v from "valibot";
import { readSecretJson } from "./secret-json.ts";

/** A private key for ES256, as JWK. */
export type TokenKey = v.InferOutput<typeof schema>;

const coordinate = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));
const schema = v.object({
  kty: v.literal("EC"),
  crv: v.literal("P-256"),
  x: coordinate,
  y: coordinate,
  d: coordinate,
  kid: v.pipe(v.string(), v.minLength(1)),
});

/** The halves of a token key, ready for use. */
export interface KeyPair {
  /** The `kid` of the tokens that it signs. */
  readonly id: string;
  readonly private: CryptoKey;
  readonly public: CryptoKey;
}

/**
 * The key of the TOKEN_KEY or TOKEN_KEY_PREVIOUS secret, as `npm run skerry -- key` makes it; undefined for no text.
 * @throws Error that says nothing of the key.
 */
export function parseTokenKey(text: string): TokenKey | undefined {
  return text === "" ? undefined : readSecretJson(schema, text);
}

/** Prepares a key. @throws Error if its numbers are no point of the curve. */
export async function importTokenKey({ kid, d, ...publicKey }: TokenKey): Promise<KeyPair> {
  try {
    return {
      id: kid,
      private: await importHalf({ ...publicKey, d }, "sign"),
      public: await importHalf(publicKey, "verify"),
    };
  } catch (cause) {
    throw new Error("TOKEN_KEY or TOKEN_KEY_PREVIOUS is not a key of its curve", { cause });
  }
}

function importHalf(key: JsonWebKey, usage: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("jwk", key, { name: "ECDSA", namedCurve: "P-256" }, false, [usage]);
}
