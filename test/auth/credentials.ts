import {
  CompactSign,
  calculateJwkThumbprint,
  decodeJwt,
  exportJWK,
  generateKeyPair,
  type JWK,
  SignJWT,
} from "jose";
import { makeAccountKey } from "../../src/auth/account-key.ts";
import { expectStatus } from "../support/content.ts";
import type { Client } from "../support/registry.ts";

/** A key pair of some issuer. */
export interface Signer {
  readonly id: string;
  readonly publicKey: JWK;
  /** The private key, as TOKEN_KEY holds it. */
  readonly secret: string;
  /** A token with these claims, and this header if it is to be another. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** A token with this text for claims, and more in its header, which may be critical. */
  signText(text: string, header?: Record<string, unknown>): Promise<string>;
}

export async function makeSigner(algorithm = "ES256"): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const [secret, published] = await Promise.all([exportJWK(privateKey), exportJWK(publicKey)]);
  const id = await calculateJwkThumbprint(published);
  return {
    id,
    publicKey: { ...published, kid: id },
    secret: JSON.stringify({ ...secret, kid: id }),
    sign: (claims, header) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: id, ...header })
        .sign(privateKey),
    signText: (text, header) =>
      new CompactSign(new TextEncoder().encode(text))
        .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: id, ...header })
        .sign(privateKey, {
          crit: Object.fromEntries(Object.keys(header ?? {}).map((name) => [name, true])),
        }),
  };
}

/** An account with its key, and its entry of ACCOUNTS. */
export interface TestAccount {
  readonly name: string;
  readonly key: string;
  readonly entry: object;
}

export async function makeTestAccount(
  name: string,
  rights: { readonly grants: Readonly<Record<string, string>> } | { readonly admin: true },
): Promise<TestAccount> {
  const { key, hash } = await makeAccountKey();
  return { name, key, entry: { name, hash, ...rights } };
}

/** A `Basic` header, in UTF-8. */
export function basic({ name, key }: { readonly name: string; readonly key: string }): string {
  return `Basic ${btoa(Array.from(new TextEncoder().encode(`${name}:${key}`), (byte) => String.fromCharCode(byte)).join(""))}`;
}

/** A `Bearer` header. */
export function bearer(token: string): string {
  return `Bearer ${token}`;
}

/** The parameters of a `Bearer` challenge. @throws Error if the answer holds no such challenge, or another beside it. */
export function challengeOf(response: Response): Readonly<Record<string, string>> {
  const header = response.headers.get("WWW-Authenticate") ?? "";
  const [, parameters] = /^Bearer ((?:[a-z]+="[^"]*")(?:,[a-z]+="[^"]*")*)$/.exec(header) ?? [];
  if (parameters === undefined) throw new Error(`no Bearer challenge: ${header}`);
  return Object.fromEntries(
    [...parameters.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
}

/** What a token allows: the elements of its access that hold an action. */
export function allowedBy(token: string): readonly { readonly name: string }[] {
  const { access } = decodeJwt<{ readonly access: readonly { name: string; actions: readonly string[] }[] }>(
    token,
  );
  return access.filter(({ actions }) => actions.length > 0);
}

/** A token for these scopes, as clients get it: without credentials, or with an `Authorization`. */
export async function getToken(
  client: Client,
  scopes: readonly string[],
  authorization?: string,
): Promise<string> {
  const query = new URLSearchParams(scopes.map((scope) => ["scope", scope]));
  const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
  const answer = await expectStatus(client.ask(`GET /token?${query}`, { headers }), 200);
  return ((await answer.json()) as { readonly token: string }).token;
}
