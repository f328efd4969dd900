import { multipartEtag } from "./r2-checksums.ts";
import { r2Error } from "./r2-error.ts";
import type { StoredObject } from "./r2-object.ts";
import type { Bytes } from "./r2-value.ts";

type Attributes = Pick<StoredObject, "version" | "httpMetadata" | "customMetadata">;

interface Part {
  readonly etag: string;
  readonly bytes: Bytes;
}

interface Upload extends Attributes {
  readonly key: string;
  readonly parts: Map<number, Part>;
  open: boolean;
}

/** The multipart uploads of a bucket, finished ones included. */
export class MultipartUploads {
  readonly #uploads = new Map<string, Upload>();
  readonly #minPartSize: number;
  #partsSoFar = 0;

  constructor(minPartSize: number) {
    this.#minPartSize = minPartSize;
  }

  create(uploadId: string, key: string, attributes: Attributes): void {
    this.#uploads.set(uploadId, { ...attributes, key, parts: new Map(), open: true });
  }

  uploadPart(uploadId: string, key: string, partNumber: number, bytes: Bytes): R2UploadedPart {
    const upload = this.#find(uploadId, key);
    if (upload?.open !== true) throw r2Error("uploadPart", 10024);
    this.#partsSoFar += 1;
    const etag = `part-${this.#partsSoFar}`;
    upload.parts.set(partNumber, { etag, bytes });
    return { partNumber, etag };
  }

  /** The object that the parts make, in the order of their numbers. */
  complete(uploadId: string, key: string, listed: readonly R2UploadedPart[]): Omit<StoredObject, "uploaded"> {
    const upload = this.#find(uploadId, key);
    if (upload === undefined) throw r2Error("complete", 10001);
    if (!upload.open) throw r2Error("complete", 10024);
    if (new Set(listed.map((part) => part.partNumber)).size < listed.length) throw r2Error("complete", 10001);
    const ordered = listed.toSorted((a, b) => a.partNumber - b.partNumber);
    const parts = ordered.map(({ partNumber, etag }) => {
      const part = upload.parts.get(partNumber);
      if (part?.etag !== etag) throw r2Error("complete", 10025);
      return part.bytes;
    });
    this.#checkSizes(parts.map((part) => part.byteLength));
    upload.open = false;
    const { version, httpMetadata, customMetadata } = upload;
    const etag = multipartEtag(parts);
    return { key, version, etag, bytes: concat(parts), checksums: {}, httpMetadata, customMetadata };
  }

  /** An upload that is over stays so: aborting twice is no error. */
  abort(uploadId: string, key: string): void {
    const upload = this.#find(uploadId, key);
    if (upload === undefined) throw r2Error("abort", 10001);
    upload.open = false;
  }

  #find(uploadId: string, key: string): Upload | undefined {
    const upload = this.#uploads.get(uploadId);
    return upload?.key === key ? upload : undefined;
  }

  /** All parts but the last have one size, at least the minimum, and the last is not larger. */
  #checkSizes(sizes: readonly number[]): void {
    const rest = sizes.slice(0, -1);
    if (rest.some((size) => size < this.#minPartSize)) throw r2Error("complete", 10011);
    const first = sizes[0] ?? 0;
    if (rest.some((size) => size !== first) || (sizes.at(-1) ?? 0) > first) throw r2Error("complete", 10048);
  }
}

function concat(parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.byteLength;
  }
  return all;
}
