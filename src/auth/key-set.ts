import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import * as v from "valibot";
import { retryLater } from "../oci/error.ts";
import { isPublicUrl } from "../oci/public-url.ts";
import { readBytes } from "../oci/read-bytes.ts";
import type { Fetch } from "../storage/ports.ts";

/** The keys of an issuer: where it publishes them, or the keys themselves. */
export type KeySource = URL | JSONWebKeySet;

/** Bytes of a published key set at most; the large issuers' are about 10 KiB. */
const maxBytes = 64 * 1024;
/** Milliseconds that a key set is believed, and for which a key that it lacks is not asked for again. */
const cacheMaxAge = 10 * 60 * 1000;
const cooldownDuration = 30 * 1000;
const timeoutDuration = 5 * 1000;

export const keySource: v.GenericSchema<unknown, KeySource> = v.union([
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const url = URL.parse(dataset.value);
      if (url !== null && isPublicUrl(url)) return url;
      addIssue({ message: "an https URL of a public host expected" });
      return NEVER;
    }),
  ),
  v.looseObject({
    keys: v.pipe(v.array(v.looseObject({ kty: v.picklist(["RSA", "EC", "OKP"]) })), v.minLength(1)),
  }),
]);

/**
 * The keys by which tokens of an issuer are checked. A published set is fetched when it is first needed, and
 * again when ten minutes old or when a token names a key that it lacks, then at most every 30 seconds.
 * The function given throws RegistryError 503 if the set cannot be had.
 */
export function createKeySet(source: KeySource, fetch: Fetch): JWTVerifyGetKey {
  if (!(source instanceof URL)) return createLocalJWKSet(source);
  return createRemoteJWKSet(source, {
    cacheMaxAge,
    cooldownDuration,
    timeoutDuration,
    [customFetch]: async (url, init) => {
      try {
        // A redirect could lead anywhere: jose asks for none to be followed, and this takes nothing but 200.
        const response = await fetch(url, { ...init, redirect: "manual" });
        if (response.status !== 200) throw new Error(`status ${response.status}`);
        return Response.json(JSON.parse(await readText(response)));
      } catch (cause) {
        throw retryLater(30, "the keys of a token's issuer cannot be read", { cause });
      }
    },
  });
}

async function readText(response: Response): Promise<string> {
  const bytes = await readBytes(response.body, maxBytes);
  if (bytes === undefined) throw new Error(`a key set of more than ${maxBytes} bytes`);
  return new TextDecoder().decode(bytes);
}
