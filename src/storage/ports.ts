/** The part of an R2 bucket that Skerry uses. A double of it needs no adapter. */
export type Bucket = Pick<R2Bucket, "get" | "head" | "put" | "list" | "delete" | "createMultipartUpload">;

/** The part of a KV namespace that Skerry uses for its tag link records. */
export type KeyValue = Pick<KVNamespace, "getWithMetadata" | "put" | "delete">;

/** The part of the Cache API that Skerry uses: the cache of the data centre that answers. */
export type ResponseCache = Pick<Cache, "match" | "put" | "delete">;

/** The part of the platform's fetch that Skerry uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Time as seen by the registry: Unix time in milliseconds, and a pause in milliseconds. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}
