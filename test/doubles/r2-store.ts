import type { Clock } from "../../src/storage/ports.ts";
import { type ExpectedChecksum, verifiedChecksums } from "./r2-checksums.ts";
import type { Predicate } from "./r2-condition.ts";
import { r2Error } from "./r2-error.ts";
import { listObjects, ObjectMap } from "./r2-list.ts";
import { MultipartUploads } from "./r2-multipart.ts";
import type { StoredObject } from "./r2-object.ts";
import type { Bytes } from "./r2-value.ts";

export interface R2Options {
  /** Gives `uploaded`, and the seconds of `oneWritePerSecond`. */
  readonly clock: Clock;
  /** Objects on one page of a list that includes metadata: 1..1000, 100 in the simulator and by default. */
  readonly pageWithMetadata?: number;
  /** Bytes that every part but the last must have: 5 MiB by default. */
  readonly minPartSize?: number;
  /** Answer 10058 to a write within one second after another one of the same key. Off by default. */
  readonly oneWritePerSecond?: boolean;
}

/** What a put writes, apart from its key. */
export interface PutContent {
  readonly version: string;
  readonly bytes: Bytes;
  readonly httpMetadata: R2HTTPMetadata;
  readonly customMetadata: Readonly<Record<string, string>>;
}

const maxMetadataBytes = 8192;
const maxKeyBytes = 1024;

/** The contents of a bucket. Every method is one atomic step; nothing here waits. */
export class R2Store {
  readonly #objects = new ObjectMap();
  readonly #lastWrite = new Map<string, number>();
  readonly #options: R2Options;
  readonly uploads: MultipartUploads;
  #changes = 0;

  constructor(options: R2Options) {
    this.#options = options;
    this.uploads = new MultipartUploads(options.minPartSize ?? 5 * 1024 * 1024);
  }

  /** How many operations have changed what the bucket holds. */
  get changes(): number {
    return this.#changes;
  }

  /** Adds objects of another store as they are: to start from what an earlier run left. */
  load(objects: Iterable<StoredObject>): void {
    for (const object of objects) this.#objects.set(object);
  }

  read(kind: "get" | "head", key: string): StoredObject | undefined {
    checkKey(kind, key);
    return this.#objects.get(key);
  }

  /** Stores the object, or returns undefined and leaves everything as it was if the condition fails. */
  put(
    key: string,
    content: PutContent,
    condition: Predicate,
    expected: ExpectedChecksum | undefined,
  ): StoredObject | undefined {
    checkKey("put", key);
    checkMetadata("put", content.customMetadata);
    const checksums = verifiedChecksums(content.bytes, expected);
    if (!condition(this.#objects.get(key))) return undefined;
    return this.#write("put", { ...content, key, etag: checksums.md5 ?? "", checksums });
  }

  list(options: R2ListOptions): R2Objects {
    return listObjects(this.#objects, options, this.#options.pageWithMetadata ?? 100);
  }

  /** @throws an error for more than 1,000 keys, as R2 does (the simulator takes any number). */
  delete(keys: readonly string[]): void {
    if (keys.length > 1000) throw r2Error("delete", 10022, "You may delete at most 1000 keys per call.");
    for (const key of keys) checkKey("delete", key);
    const removed = keys.filter((key) => this.#objects.delete(key));
    if (removed.length > 0) this.#changes += 1;
  }

  createMultipartUpload(uploadId: string, key: string, content: Omit<PutContent, "bytes">): void {
    checkKey("createMultipartUpload", key);
    checkMetadata("createMultipartUpload", content.customMetadata);
    this.uploads.create(uploadId, key, content);
  }

  /** Makes the object of the parts: without condition, whatever the key holds by now. */
  complete(uploadId: string, key: string, parts: readonly R2UploadedPart[]): StoredObject {
    return this.#write("complete", this.uploads.complete(uploadId, key, parts));
  }

  /** Every object whose key starts with `prefix`, in order: for assertions, past the gate. */
  *objects(prefix = ""): Generator<StoredObject> {
    yield* this.#objects.from(prefix, "");
  }

  #write(kind: "put" | "complete", object: Omit<StoredObject, "uploaded">): StoredObject {
    const now = this.#options.clock.now();
    if (this.#options.oneWritePerSecond === true) {
      if (now - (this.#lastWrite.get(object.key) ?? Number.NEGATIVE_INFINITY) < 1000) {
        throw r2Error(kind, 10058);
      }
      this.#lastWrite.set(object.key, now);
    }
    const stored = { ...object, uploaded: now };
    this.#objects.set(stored);
    this.#changes += 1;
    return stored;
  }
}

function checkKey(kind: "get" | "head" | "put" | "delete" | "createMultipartUpload", key: string): void {
  // No character takes more than three bytes, and encoding every key would be most of what the double costs.
  if (3 * key.length <= maxKeyBytes) return;
  if (new TextEncoder().encode(key).byteLength > maxKeyBytes) throw r2Error(kind, 10020);
}

function checkMetadata(
  kind: "put" | "createMultipartUpload",
  metadata: Readonly<Record<string, string>>,
): void {
  const size = Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + headerBytes(name) + headerBytes(value),
    0,
  );
  if (size > maxMetadataBytes) throw r2Error(kind, 10012);
}

/** R2 counts one byte a character in Latin-1 text and two in any other. */
function headerBytes(text: string): number {
  return /[^\p{ASCII}\u0080-\u00ff]/u.test(text) ? 2 * text.length : text.length;
}
