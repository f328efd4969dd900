import { createHash } from "node:crypto";
import type { Bucket } from "../../src/storage/ports.ts";
import type { Effect, Gate } from "./gate.ts";
import type { Kind, Operation } from "./operation.ts";
import { expectedChecksum } from "./r2-checksums.ts";
import { parseCondition } from "./r2-condition.ts";
import { httpMetadataOf, R2ObjectBodyDouble, R2ObjectDouble } from "./r2-object.ts";
import { checkRange, sliceOf } from "./r2-range.ts";
import { type R2Options, R2Store } from "./r2-store.ts";
import { type Bytes, bytesOf, type Value } from "./r2-value.ts";

/** An R2 bucket in memory. Its operations pass the gate; `actor()` gives the binding as one request sees it. */
export class R2Double {
  readonly store: R2Store;
  readonly #gate: Gate;
  readonly #views = new Map<string, R2View>();

  constructor(gate: Gate, options: R2Options) {
    this.#gate = gate;
    this.store = new R2Store(options);
  }

  /** The bucket with every operation attributed to `name`. */
  actor(name: string): R2View {
    const view = this.#views.get(name) ?? new R2View(this.store, this.#gate, name);
    this.#views.set(name, view);
    return view;
  }
}

type BucketBinding = Bucket & Pick<R2Bucket, "resumeMultipartUpload">;

/** The R2 binding over a double, as seen by one actor. */
export class R2View implements BucketBinding {
  readonly #store: R2Store;
  readonly #gate: Gate;
  readonly #actor: string;
  #writes = 0;

  constructor(store: R2Store, gate: Gate, actor: string) {
    this.#store = store;
    this.#gate = gate;
    this.#actor = actor;
  }

  head(key: string): Promise<R2Object | null> {
    return this.#pass("head", [key], () => {
      const stored = this.#store.read("head", key);
      return stored === undefined
        ? null
        : new R2ObjectDouble(stored, { offset: 0, length: stored.bytes.byteLength });
    });
  }

  get(
    key: string,
    options: R2GetOptions & { onlyIf: R2Conditional | Headers },
  ): Promise<R2ObjectBody | R2Object | null>;
  get(key: string, options?: R2GetOptions): Promise<R2ObjectBody | null>;
  async get(key: string, options: R2GetOptions = {}): Promise<R2ObjectBody | R2Object | null> {
    const condition = parseCondition(options.onlyIf);
    checkRange(options.range);
    const read: Effect<R2ObjectBody | R2Object | null> = () => {
      const stored = this.#store.read("get", key);
      if (stored === undefined) return null;
      const size = stored.bytes.byteLength;
      if (!condition(stored)) return new R2ObjectDouble(stored, { offset: 0, length: size });
      return new R2ObjectBodyDouble(stored, sliceOf(options.range, size));
    };
    return this.#pass("get", [key], read, options.onlyIf !== undefined);
  }

  put(
    key: string,
    value: Value,
    options: R2PutOptions & { onlyIf: R2Conditional | Headers },
  ): Promise<R2Object | null>;
  put(key: string, value: Value, options?: R2PutOptions): Promise<R2Object>;
  async put(key: string, value: Value, options: R2PutOptions = {}): Promise<R2Object | null> {
    const condition = parseCondition(options.onlyIf);
    const expected = expectedChecksum(options);
    const attributes = this.#attributes(options);
    const write = (bytes: Bytes) => () => {
      const stored = this.#store.put(key, { ...attributes, bytes }, condition, expected);
      return stored === undefined ? null : new R2ObjectDouble(stored);
    };
    const bytes = bytesOf(value);
    const effect = bytes instanceof Promise ? bytes.then(write) : write(bytes);
    return this.#pass("put", [key], effect, options.onlyIf !== undefined);
  }

  list(options: R2ListOptions = {}): Promise<R2Objects> {
    return this.#pass("list", [options.prefix ?? ""], () => this.#store.list(options));
  }

  delete(keys: string | string[]): Promise<void> {
    const all = typeof keys === "string" ? [keys] : [...keys];
    return this.#pass("delete", all, () => this.#store.delete(all));
  }

  createMultipartUpload(key: string, options: R2MultipartOptions = {}): Promise<R2MultipartUpload> {
    const attributes = this.#attributes(options);
    return this.#pass("createMultipartUpload", [key], () => {
      this.#store.createMultipartUpload(attributes.version, key, attributes);
      return this.resumeMultipartUpload(key, attributes.version);
    });
  }

  resumeMultipartUpload(key: string, uploadId: string): R2MultipartUpload {
    const { uploads } = this.#store;
    return {
      key,
      uploadId,
      uploadPart: async (partNumber, value) => {
        if (partNumber < 1 || partNumber > 10_000) {
          throw new TypeError(
            `Part number must be between 1 and 10000 (inclusive). Actual value was: ${partNumber}`,
          );
        }
        const bytes = Promise.resolve(bytesOf(value));
        const effect = bytes.then((part) => () => uploads.uploadPart(uploadId, key, partNumber, part));
        return this.#pass("uploadPart", [key], effect);
      },
      complete: (parts) =>
        this.#pass("complete", [key], () => new R2ObjectDouble(this.#store.complete(uploadId, key, parts))),
      abort: () => this.#pass("abort", [key], () => uploads.abort(uploadId, key)),
    };
  }

  #pass<T>(
    kind: Kind,
    keys: readonly string[],
    effect: Effect<T> | Promise<Effect<T>>,
    conditional = false,
  ): Promise<T> {
    const operation: Operation = { store: "R2", kind, keys, actor: this.#actor, conditional };
    return this.#gate.pass(operation, effect);
  }

  /** The version depends on the actor and its own writes alone: it is the same in every replay and order. */
  #attributes(options: Pick<R2PutOptions, "httpMetadata" | "customMetadata">) {
    this.#writes += 1;
    return {
      version: createHash("md5").update(`${this.#actor} ${this.#writes}`).digest("hex"),
      httpMetadata: httpMetadataOf(options.httpMetadata),
      customMetadata: { ...options.customMetadata },
    };
  }
}
