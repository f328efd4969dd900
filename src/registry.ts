import { Authenticator } from "./auth/authenticator.ts";
import { everything, type Grant, pullGrants } from "./auth/grants.ts";
import { Sessions } from "./auth/sessions.ts";
import type { Config } from "./config.ts";
import { type EventQueue, Events } from "./events/events.ts";
import type { ImportQueue } from "./imports/drive.ts";
import type { Metrics } from "./observe/data-point.ts";
import { ReadinessProbe } from "./observe/readiness.ts";
import type { RepositoryName } from "./oci/name.ts";
import { BufferPool } from "./storage/buffers.ts";
import { EdgeCache } from "./storage/edge-cache.ts";
import { Layout } from "./storage/layout.ts";
import { ObjectUrls } from "./storage/object-urls.ts";
import type { Bucket, Clock, Fetch, KeyValue, ResponseCache } from "./storage/ports.ts";
import { PullTimes } from "./storage/pull-times.ts";
import type { Store } from "./storage/store.ts";
import { TagReader } from "./storage/tag-read.ts";
import { TagRecords } from "./storage/tag-records.ts";
import { UploadKey } from "./storage/upload-key.ts";
import { PullThrough } from "./upstream/pull-through.ts";

/** Everything that a handler works with, built once for an isolate. */
export interface Registry {
  readonly config: Config;
  readonly store: Store;
  readonly auth: Authenticator;
  /** The data centre's copies of manifests and blobs, or undefined when none are kept. */
  readonly edgeCache: EdgeCache | undefined;
  readonly tagReader: TagReader;
  readonly pullTimes: PullTimes;
  readonly buffers: BufferPool;
  readonly uploadKey: UploadKey;
  /** Those of the web pages. */
  readonly sessions: Sessions;
  /** Signs URLs of the bucket, or undefined when clients do not reach it themselves. */
  readonly objectUrls: ObjectUrls | undefined;
  readonly log: Log;
  readonly metrics: Metrics | undefined;
  readonly events: Events;
  /** Has imports gone on with; undefined: the cron and clients do. */
  readonly importQueue: ImportQueue | undefined;
  readonly readiness: ReadinessProbe;
  readonly loginLimit: LoginLimit | undefined;
  /** The upstreams whose repositories are pulled through this registry. */
  readonly pullThrough: PullThrough;
  /** Whether a repository mirrors another registry, and so takes no writes. */
  readonly isPullThrough: (name: RepositoryName) => boolean;
}

/** The platform's part of a registry; a test gives doubles. */
export interface Platform {
  readonly bucket: Bucket;
  readonly kv: KeyValue | undefined;
  /** The cache of the data centre; undefined where there is none. */
  readonly cache?: ResponseCache | undefined;
  readonly clock: Clock;
  /** Asks for the keys of other issuers and for what upstreams have, and delivers events; the global fetch unless given. */
  readonly fetch?: Fetch;
  /** Takes the lines of the log; nobody unless given. */
  readonly log?: Log;
  /** Keeps events until they are delivered. */
  readonly queue?: EventQueue | undefined;
  /** Has imports gone on with. */
  readonly importQueue?: ImportQueue | undefined;
  /** Takes a data point for each request. */
  readonly metrics?: Metrics | undefined;
  /** Counts failed logins; they are not limited unless given. */
  readonly loginLimit?: LoginLimit | undefined;
}

/** Takes a line of the log. */
export type Log = (line: string) => void;

/** The part of a rate limit binding that Skerry uses. */
export type LoginLimit = Pick<RateLimit, "limit">;

/** Puts a registry together. */
export function createRegistry(config: Config, platform: Platform): Registry {
  const { bucket, kv, cache, clock } = platform;
  const fetch: Fetch = platform.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const store: Store = {
    bucket,
    tagRecords: kv && config.kvRecords ? new TagRecords(kv, config.tagConsistency) : undefined,
    layout: new Layout(config.keyPrefix),
    clock,
    concurrency: config.concurrency,
  };
  const pullThrough = new PullThrough(config, clock, fetch);
  const log = platform.log ?? (() => undefined);
  const uploadKey = new UploadKey(config.uploadKey);
  return {
    config,
    store,
    auth: new Authenticator({ ...config, everybody: everybodysGrants(config) }, fetch),
    log,
    events: new Events({
      webhooks: config.webhooks,
      pullSample: config.eventsPullSample,
      queue: platform.queue,
      send: fetch,
      clock,
      log: config.log === "off" ? () => undefined : log,
    }),
    importQueue: platform.importQueue,
    metrics: platform.metrics,
    readiness: new ReadinessProbe(),
    loginLimit: platform.loginLimit,
    edgeCache:
      cache && config.cacheTtl > 0
        ? new EdgeCache(cache, { ttl: config.cacheTtl, blobMax: config.cacheBlobMax })
        : undefined,
    tagReader: new TagReader(),
    pullTimes: new PullTimes(),
    buffers: new BufferPool(config.uploadBuffers, config.uploadBufferSize, clock),
    uploadKey,
    sessions: new Sessions(config.tokenKeys[0], uploadKey),
    objectUrls: config.s3 && new ObjectUrls(config.s3, clock),
    pullThrough,
    isPullThrough: (name) => pullThrough.names.find(name) !== undefined,
  };
}

function everybodysGrants({ anonymous, publicRepositories }: Config): readonly Grant[] {
  if (anonymous === "all") return everything;
  return pullGrants(anonymous === "pull" ? ["*"] : publicRepositories);
}
