import { type HexChecksums, r2Checksums } from "./r2-checksums.ts";
import type { Slice } from "./r2-range.ts";
import type { Bytes } from "./r2-value.ts";

/** An object as the double keeps it. */
export interface StoredObject {
  readonly key: string;
  readonly version: string;
  readonly etag: string;
  /** Unix time in milliseconds, of the double's clock. */
  readonly uploaded: number;
  readonly bytes: Bytes;
  readonly checksums: HexChecksums;
  readonly httpMetadata: R2HTTPMetadata;
  readonly customMetadata: Readonly<Record<string, string>>;
}

const headerNames = {
  contentType: "content-type",
  contentLanguage: "content-language",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  cacheControl: "cache-control",
} as const;

/** What R2 answers about an object, without its body. */
export class R2ObjectDouble implements R2Object {
  readonly key: string;
  readonly version: string;
  readonly size: number;
  readonly etag: string;
  readonly httpEtag: string;
  readonly uploaded: Date;
  readonly httpMetadata: R2HTTPMetadata;
  readonly customMetadata: Record<string, string>;
  readonly range?: R2Range;
  readonly storageClass = "";
  readonly #checksums: HexChecksums;

  constructor(stored: StoredObject, range?: Slice) {
    this.key = stored.key;
    this.version = stored.version;
    this.size = stored.bytes.byteLength;
    this.etag = stored.etag;
    this.httpEtag = `"${stored.etag}"`;
    this.#checksums = stored.checksums;
    this.uploaded = new Date(stored.uploaded);
    this.httpMetadata = { ...stored.httpMetadata };
    this.customMetadata = { ...stored.customMetadata };
    if (range !== undefined) this.range = range;
  }

  get checksums(): R2Checksums {
    return r2Checksums(this.#checksums);
  }

  writeHttpMetadata(headers: Headers): void {
    for (const [field, name] of Object.entries(headerNames)) {
      const value = this.httpMetadata[field as keyof typeof headerNames];
      if (value !== undefined) headers.set(name, value);
    }
    const { cacheExpiry } = this.httpMetadata;
    if (cacheExpiry !== undefined) headers.set("expires", cacheExpiry.toUTCString());
  }
}

/** What R2 answers to a get: the object and the asked part of its body, which can be read once. */
export class R2ObjectBodyDouble extends R2ObjectDouble implements R2ObjectBody {
  readonly #slice: Bytes;
  /** Made when `body` is first asked for; its body has a known length, like that of a real R2 object. */
  #response: Response | undefined;
  #taken = false;

  constructor(stored: StoredObject, range: Slice) {
    super(stored, range);
    this.#slice = stored.bytes.slice(range.offset, range.offset + range.length);
  }

  get body(): ReadableStream {
    this.#response ??= new Response(this.#take());
    if (this.#response.body === null) throw new Error("a response made of bytes has no body");
    return this.#response.body;
  }

  get bodyUsed(): boolean {
    return this.#response?.bodyUsed ?? this.#taken;
  }

  async bytes(): Promise<Bytes> {
    if (this.#response === undefined) return this.#take();
    return new Uint8Array(await this.#response.arrayBuffer());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  async json<T>(): Promise<T> {
    return JSON.parse(await this.text()) as T;
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.bytes()]);
  }

  #take(): Bytes {
    if (this.#taken) throw new TypeError("Body has already been used. It can only be used once.");
    this.#taken = true;
    return this.#slice;
  }
}

/** The fields of the headers that R2 keeps with an object. */
export function httpMetadataOf(given: R2HTTPMetadata | Headers | undefined): R2HTTPMetadata {
  if (!(given instanceof Headers)) return { ...given };
  const metadata: R2HTTPMetadata = {};
  for (const [field, name] of Object.entries(headerNames)) {
    const value = given.get(name);
    if (value !== null) metadata[field as keyof typeof headerNames] = value;
  }
  const expires = given.get("expires");
  if (expires !== null) metadata.cacheExpiry = new Date(expires);
  return metadata;
}
