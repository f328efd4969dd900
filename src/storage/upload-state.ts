import type { Algorithm, Digest } from "../oci/digest.ts";
import { parseAlgorithm, tryParseDigest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";

/** An upload session lives a week, in milliseconds, from its start. */
export const sessionLifetime = 7 * 24 * 3600 * 1000;

/** So many different lengths of segments fit into a Location; beyond, the bucket is listed instead. */
const maxRuns = 40;

/** Segments in a row that have one length: [bytes, how many]. */
export type Run = readonly [size: number, count: number];

/** What a Location says of an upload session, so that a request need not ask the bucket. */
export interface UploadState {
  readonly session: string;
  /** Start of the session; Unix time in milliseconds. */
  readonly startedAt: number;
  /** Bytes received so far. */
  readonly offset: number;
  /** Number of segments so far. */
  readonly count: number;
  /** The segments so far, or undefined when they are too varied to tell. */
  readonly runs: readonly Run[] | undefined;
  /** The whole content so far was stored under this digest at once, and the first segment only names it. */
  readonly stored?: Digest;
  /** What the client announced with `digest-algorithm`. */
  readonly algorithm?: Algorithm;
}

/** A session that has received nothing. */
export function newUpload(now: number, algorithm?: Algorithm): UploadState {
  const state = { session: crypto.randomUUID(), startedAt: now, offset: 0, count: 0, runs: [] };
  return algorithm === undefined ? state : { ...state, algorithm };
}

/** The state after one more segment. */
export function withSegment(state: UploadState, size: number): UploadState {
  const { offset, count, runs } = state;
  return { ...state, offset: offset + size, count: count + 1, runs: addRun(runs, size) };
}

function addRun(runs: readonly Run[] | undefined, size: number): readonly Run[] | undefined {
  if (runs === undefined) return undefined;
  const last = runs.at(-1);
  if (last !== undefined && last[0] === size) return [...runs.slice(0, -1), [size, last[1] + 1]];
  return runs.length < maxRuns ? [...runs, [size, 1]] : undefined;
}

interface Payload {
  readonly t: number;
  readonly o: number;
  readonly n: number;
  readonly s?: readonly Run[];
  readonly d?: string;
  readonly a?: string;
}

/** Signs and checks upload states, so that no client can make one up. */
export class UploadSigner {
  readonly #key: CryptoKey;

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** @param secret any bytes that only this registry knows; 32 random ones are right. */
  static async create(secret: Uint8Array<ArrayBuffer>): Promise<UploadSigner> {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    return new UploadSigner(
      await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign", "verify"]),
    );
  }

  /** The state as URL-safe text, bound to the repository and the session. */
  async sign(name: RepositoryName, state: UploadState): Promise<string> {
    const payload: Payload = {
      t: state.startedAt,
      o: state.offset,
      n: state.count,
      ...(state.runs !== undefined && { s: state.runs }),
      ...(state.stored !== undefined && { d: state.stored }),
      ...(state.algorithm !== undefined && { a: state.algorithm }),
    };
    const text = toBase64Url(new TextEncoder().encode(JSON.stringify(payload)));
    const mac = await crypto.subtle.sign("HMAC", this.#key, message(name, state.session, text));
    return `${text}.${toBase64Url(new Uint8Array(mac))}`;
  }

  /** The state that was signed, or undefined: not ours, of another repository or session, or too old. */
  async verify(
    name: RepositoryName,
    session: string,
    token: string,
    now: number,
  ): Promise<UploadState | undefined> {
    const [text, mac] = token.split(".");
    const signature = fromBase64Url(mac ?? "");
    const encoded = fromBase64Url(text ?? "");
    if (text === undefined || signature === undefined || encoded === undefined) return undefined;
    const signed = message(name, session, text);
    if (!(await crypto.subtle.verify("HMAC", this.#key, signature, signed))) return undefined;
    const payload = JSON.parse(new TextDecoder().decode(encoded)) as Payload;
    if (now - payload.t > sessionLifetime) return undefined;
    const stored = tryParseDigest(payload.d ?? "");
    const algorithm = parseAlgorithm(payload.a ?? "");
    return {
      session,
      startedAt: payload.t,
      offset: payload.o,
      count: payload.n,
      runs: payload.s,
      ...(stored && { stored }),
      ...(algorithm && { algorithm }),
    };
  }
}

function message(name: RepositoryName, session: string, text: string): Uint8Array {
  return new TextEncoder().encode(`${name}\n${session}\n${text}`);
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

function fromBase64Url(encoded: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const text = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    return bytes;
  } catch {
    return undefined;
  }
}
