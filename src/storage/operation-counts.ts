import type { EdgeCache } from "./edge-cache.ts";
import type { Bucket, KeyValue, ResponseCache } from "./ports.ts";
import type { Store } from "./store.ts";

/** How often each kind of operation was asked for. */
export type Counts = Readonly<Record<string, number>>;

/** What one request asked of R2, KV and the data centre's cache, by kind. */
export class OperationCounts {
  readonly r2: Record<string, number> = {};
  readonly kv: Record<string, number> = {};
  /** Looks are `hit` or `miss`. */
  readonly cache: Record<string, number> = {};

  /** Of R2 and KV: what the platform limits as one. */
  get total(): number {
    return [...Object.values(this.r2), ...Object.values(this.kv)].reduce((sum, count) => sum + count, 0);
  }
}

function increase(counts: Record<string, number>, kind: string): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}

/**
 * The store as one request works with it: what is asked of its bucket and records is counted. A store for each
 * request costs a few small objects; that the platform should follow each request through everything that it
 * awaits (AsyncLocalStorage) would cost more, and hide where the counts come from.
 */
export function countedStore(store: Store, counts: OperationCounts): Store {
  return {
    ...store,
    bucket: countedBucket(store.bucket, (kind) => increase(counts.r2, kind)),
    tagRecords: store.tagRecords?.through((kv) => countedKv(kv, (kind) => increase(counts.kv, kind))),
  };
}

/** The same data centre's copies, with the looks of one request counted. */
export function countedCache(cache: EdgeCache, counts: OperationCounts): EdgeCache {
  return cache.through(
    (inner): ResponseCache => ({
      match: async (...parameters) => {
        const copy = await inner.match(...parameters);
        increase(counts.cache, copy === undefined ? "miss" : "hit");
        return copy;
      },
      put: (...parameters) => {
        increase(counts.cache, "put");
        return inner.put(...parameters);
      },
      delete: (...parameters) => {
        increase(counts.cache, "delete");
        return inner.delete(...parameters);
      },
    }),
  );
}

/** A namespace that tells `count` of every operation before it is begun. */
export function countedKv(kv: KeyValue, count: (kind: string) => void): KeyValue {
  return {
    getWithMetadata: ((...parameters: Parameters<KeyValue["getWithMetadata"]>) => {
      count("get");
      return kv.getWithMetadata(...parameters);
    }) as KeyValue["getWithMetadata"],
    put: (...parameters) => {
      count("put");
      return kv.put(...parameters);
    },
    delete: (...parameters) => {
      count("delete");
      return kv.delete(...parameters);
    },
  };
}

function countedBucket(inner: Bucket, count: (kind: string) => void): Bucket {
  return {
    head: (...parameters) => {
      count("head");
      return inner.head(...parameters);
    },
    get: ((...parameters: Parameters<Bucket["get"]>) => {
      count("get");
      return inner.get(...parameters);
    }) as Bucket["get"],
    put: ((...parameters: Parameters<Bucket["put"]>) => {
      count("put");
      return inner.put(...parameters);
    }) as Bucket["put"],
    list: (...parameters) => {
      count("list");
      return inner.list(...parameters);
    },
    delete: (...parameters) => {
      count("delete");
      return inner.delete(...parameters);
    },
    createMultipartUpload: async (...parameters) => {
      count("create");
      return countedUpload(await inner.createMultipartUpload(...parameters), count);
    },
  };
}

function countedUpload(upload: R2MultipartUpload, count: (kind: string) => void): R2MultipartUpload {
  return {
    key: upload.key,
    uploadId: upload.uploadId,
    uploadPart: (...parameters) => {
      count("part");
      return upload.uploadPart(...parameters);
    },
    complete: (...parameters) => {
      count("complete");
      return upload.complete(...parameters);
    },
    abort: () => {
      count("abort");
      return upload.abort();
    },
  };
}
