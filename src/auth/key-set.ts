import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import * as v from "valibot";
import { retryLater } from "../oci/error.ts";

/** The part of the platform's fetch that key sets need. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

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
      if (url !== null && isPublic(url)) return url;
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

/**
 * Whether a URL may be fetched: https, and a name that is no address and not of an inner network. Only operators
 * write these URLs, and Workers reach no inner network; this is for those who run Skerry elsewhere.
 */
function isPublic({ protocol, hostname, username, password }: URL): boolean {
  const host = hostname.replace(/\.$/, "");
  const isAddress = host.startsWith("[") || /^[\d.]+$/.test(host);
  const isInner = !host.includes(".") || /\.(?:local|localhost|internal|lan|home|arpa)$/.test(host);
  return protocol === "https:" && !isAddress && !isInner && username === "" && password === "";
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`a key set of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Blob(chunks as Uint8Array<ArrayBuffer>[]).text();
}
