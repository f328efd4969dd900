import { countedKv } from "./operation-counts.ts";
import type { Bucket } from "./ports.ts";
import type { Store } from "./store.ts";

/** Thrown when a step has used up its operations: what is left to do is for the next one. */
export class OutOfOperations extends Error {}

/**
 * A bucket that counts what is asked of it, and refuses when a step's share of the platform's operations is used
 * up. Bulk jobs run over it, so that no step dies of the platform's limit in the middle of something.
 */
export class MeteredBucket implements Bucket {
  readonly #bucket: Bucket;
  #left: number;

  /** @param operations how many operations the step may use. */
  constructor(bucket: Bucket, operations: number) {
    this.#bucket = bucket;
    this.#left = operations;
  }

  /** Operations that are left. */
  get left(): number {
    return Math.max(this.#left, 0);
  }

  /** Throws OutOfOperations unless so many operations are left: asked before something that must not stop halfway. */
  need(operations: number): void {
    if (this.#left < operations) throw new OutOfOperations();
  }

  /** Counts an operation that did not go to the bucket. */
  count(): void {
    this.#left--;
  }

  readonly head: Bucket["head"] = (...parameters) => this.#spend().head(...parameters);
  readonly get = ((...parameters: Parameters<Bucket["get"]>) =>
    this.#spend().get(...parameters)) as Bucket["get"];
  readonly put = ((...parameters: Parameters<Bucket["put"]>) =>
    this.#spend().put(...parameters)) as Bucket["put"];
  readonly list: Bucket["list"] = (...parameters) => this.#spend().list(...parameters);
  readonly delete: Bucket["delete"] = (...parameters) => this.#spend().delete(...parameters);
  readonly createMultipartUpload: Bucket["createMultipartUpload"] = (...parameters) =>
    this.#spend().createMultipartUpload(...parameters);

  #spend(): Bucket {
    if (this.#left <= 0) throw new OutOfOperations();
    this.#left--;
    return this.#bucket;
  }
}

/**
 * The store over a metered bucket. Operations of KV count too but are not refused: a refusal would look like a
 * failure of KV, which fails nothing.
 */
export function metered(store: Store, operations: number): Store & { readonly bucket: MeteredBucket } {
  const bucket = new MeteredBucket(store.bucket, operations);
  const tagRecords = store.tagRecords?.through((kv) => countedKv(kv, () => bucket.count()));
  return { ...store, bucket, tagRecords };
}
