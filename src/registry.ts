import { type Access, anonymousAccess } from "./auth/access.ts";
import type { Config } from "./config.ts";
import type { RepositoryName } from "./oci/name.ts";
import { BufferPool } from "./storage/buffers.ts";
import { Layout } from "./storage/layout.ts";
import type { Bucket, Clock, KeyValue } from "./storage/ports.ts";
import type { Store } from "./storage/store.ts";
import { TagReader } from "./storage/tag-read.ts";
import { TagRecords } from "./storage/tag-records.ts";
import { UploadKey } from "./storage/upload-key.ts";

/** Everything that a handler works with, built once for an isolate. */
export interface Registry {
  readonly config: Config;
  readonly store: Store;
  readonly access: Access;
  readonly tagReader: TagReader;
  readonly buffers: BufferPool;
  readonly uploadKey: UploadKey;
  /** Whether a repository mirrors another registry, and so takes no writes. */
  readonly isPullThrough: (name: RepositoryName) => boolean;
}

/** The platform's part of a registry; a test gives doubles. */
export interface Platform {
  readonly bucket: Bucket;
  readonly kv: KeyValue | undefined;
  readonly clock: Clock;
}

/** Puts a registry together. */
export function createRegistry(config: Config, platform: Platform): Registry {
  const { bucket, kv, clock } = platform;
  const store: Store = {
    bucket,
    tagRecords: kv && config.kvRecords ? new TagRecords(kv, config.tagConsistency) : undefined,
    layout: new Layout(config.keyPrefix),
    clock,
    concurrency: config.concurrency,
  };
  return {
    config,
    store,
    access: anonymousAccess(config.anonymous),
    tagReader: new TagReader(),
    buffers: new BufferPool(config.uploadBuffers, config.uploadBufferSize),
    uploadKey: new UploadKey(config.uploadKey),
    isPullThrough: () => false,
  };
}
