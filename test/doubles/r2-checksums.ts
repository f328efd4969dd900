import { createHash } from "node:crypto";
import { r2Error } from "./r2-error.ts";
import type { Bytes } from "./r2-value.ts";

const names = { md5: "MD5", sha1: "SHA-1", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" } as const;
const lengths = { md5: 32, sha1: 40, sha256: 64, sha384: 96, sha512: 128 } as const;

type Name = keyof typeof names;

/** Checksums in lower-case hex. */
export type HexChecksums = Readonly<Partial<Record<Name, string>>>;

/** The checksum that a put asks R2 to verify, in lower-case hex. */
export interface ExpectedChecksum {
  readonly name: Name;
  readonly hex: string;
}

/**
 * The checksum among the options of a put.
 * @throws TypeError for more than one, and for one that is no digest of its algorithm.
 */
export function expectedChecksum(options: R2PutOptions): ExpectedChecksum | undefined {
  const given = (Object.keys(names) as Name[]).filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new TypeError("You cannot specify multiple hashing algorithms.");
  const name = given[0];
  const value = name === undefined ? undefined : options[name];
  if (name === undefined || value === undefined) return undefined;
  const hex = typeof value === "string" ? value.toLowerCase() : hexOf(value);
  if (hex.length !== lengths[name]) {
    throw new TypeError(`${names[name]} is ${lengths[name]} hex characters, not ${hex.length}`);
  }
  if (!/^[0-9a-f]+$/.test(hex)) throw new TypeError(`Provided ${names[name]} wasn't a valid hex string`);
  return { name, hex };
}

/** @throws the error 10037 of R2 if the bytes have another checksum. */
export function verifiedChecksums(bytes: Bytes, expected: ExpectedChecksum | undefined): HexChecksums {
  const md5 = hash("md5", bytes);
  if (expected === undefined) return { md5 };
  const actual = expected.name === "md5" ? md5 : hash(expected.name, bytes);
  if (actual === expected.hex) return { md5, [expected.name]: actual };
  const algorithm = names[expected.name];
  throw r2Error(
    "put",
    10037,
    `The ${algorithm} checksum you specified did not match what we received.\n` +
      `You provided a ${algorithm} checksum with value: ${expected.hex}\nActual ${algorithm} was: ${actual}`,
  );
}

/** The etag of a multipart object: the MD5 of its parts' MD5s, and their number. */
export function multipartEtag(parts: readonly Bytes[]): string {
  const all = createHash("md5");
  for (const part of parts) all.update(createHash("md5").update(part).digest());
  return `${all.digest("hex")}-${parts.length}`;
}

/** The checksums as the binding shows them: buffers, with hex in their JSON. */
export function r2Checksums(hex: HexChecksums): R2Checksums {
  const buffers = Object.entries(hex).map(([name, text]) => [name, bufferOf(text)] as const);
  return { ...Object.fromEntries(buffers), toJSON: () => hex };
}

function hash(name: Name, bytes: Bytes): string {
  return createHash(name).update(bytes).digest("hex");
}

function hexOf(value: ArrayBuffer | ArrayBufferView): string {
  const view =
    value instanceof ArrayBuffer
      ? new Uint8Array(value)
      : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return Array.from(view, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bufferOf(hex: string): ArrayBuffer {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)).buffer;
}
