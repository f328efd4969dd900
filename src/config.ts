import * as v from "valibot";
import type { Account } from "./auth/accounts.ts";
import type { IdentityIssuer } from "./auth/identities.ts";
import type { TokenIssuer } from "./auth/token-issuers.ts";
import type { TokenKey } from "./auth/token-key.ts";
import type { Message } from "./events/message.ts";
import type { Webhook } from "./events/webhooks.ts";
import type { ImportMessage } from "./imports/drive.ts";
import type { RetentionRule } from "./maintenance/retention/rules.ts";
import { createUrlPolicy, type UrlPolicy } from "./oci/urls.ts";
import { settings } from "./settings.ts";
import type { S3Access } from "./storage/object-urls.ts";
import type { TagPattern } from "./storage/tag-pattern.ts";
import type { Credentials, Upstream } from "./upstream/upstream.ts";

/** Bindings, variables and secrets of the Worker, as wrangler.toml and `wrangler secret` give them. */
export interface Env {
  readonly BUCKET: R2Bucket;
  readonly TAGS?: KVNamespace;
  /** Counts failed logins. */
  readonly RL?: RateLimit;
  /** Where events wait to be delivered. */
  readonly EVENTS?: Queue<Message>;
  /** Where imports wait to be gone on with. */
  readonly IMPORTS?: Queue<ImportMessage>;
  /** Gets a data point for each request. */
  readonly METRICS?: AnalyticsEngineDataset;
  readonly [variable: string]: unknown;
}

const mebibyte = 1024 * 1024;

type SettingName = keyof typeof settings;
type Values = { readonly [Name in SettingName]: v.InferOutput<(typeof settings)[Name]["schema"]> };

/** The checked configuration. */
export interface Config {
  readonly anonymous: Values["ANONYMOUS"];
  readonly publicRepositories: readonly string[];
  readonly accounts: ReadonlyMap<string, Account>;
  /** The key that signs tokens, then one that is still believed. */
  readonly tokenKeys: readonly TokenKey[];
  readonly tokenIssuers: readonly TokenIssuer[];
  readonly identityIssuers: readonly IdentityIssuer[];
  readonly publicUrl: string | undefined;
  readonly trustProxy: boolean;
  readonly keyPrefix: string;
  readonly readOnly: boolean;
  readonly deleteEnabled: boolean;
  readonly immutableTags: readonly TagPattern[];
  readonly repositoryClasses: readonly string[];
  readonly urls: UrlPolicy;
  readonly maxReferences: number;
  readonly missingReferences: Values["MISSING_REFERENCES"];
  readonly tagConsistency: Values["TAG_CONSISTENCY"];
  readonly kvRecords: boolean;
  /** Seconds; 0 for no edge cache. */
  readonly cacheTtl: number;
  /** Bytes; 0 for no blobs in the edge cache. */
  readonly cacheBlobMax: number;
  readonly concurrency: number;
  readonly operationsPerRequest: number;
  /** Whether there are web pages. */
  readonly webUi: boolean;
  readonly gc: boolean;
  readonly gcGraceHours: number;
  readonly gcTombstoneDays: number;
  readonly retention: readonly RetentionRule[];
  readonly foreignWrites: Values["FOREIGN_WRITES"];
  readonly uploadKey: string | undefined;
  readonly uploadBuffers: number;
  /** Bytes of one upload buffer. */
  readonly uploadBufferSize: number;
  readonly maxSegments: number;
  readonly chunkMinLength: number;
  readonly chunkMaxLength: number;
  readonly singlePutLimit: number;
  readonly log: Values["LOG"];
  readonly webhooks: readonly Webhook[];
  /** 0 to 1. */
  readonly eventsPullSample: number;
  readonly eventsRetrySeconds: number;
  readonly serverTiming: Values["SERVER_TIMING"];
  /** How clients reach the bucket themselves, if they may. */
  readonly s3: S3Access | undefined;
  /** Bytes from which on blobs are redirected; undefined for none. */
  readonly blobRedirect: number | undefined;
  readonly upstreams: readonly Upstream[];
  /** What to log in to upstreams with, by their prefix. */
  readonly upstreamCredentials: ReadonlyMap<string, Credentials>;
}

/** A variable has a value that it must not have. The message names it, and is for the log. */
export class ConfigError extends Error {}

/**
 * Reads the configuration from the Worker's variables.
 * @throws ConfigError naming the first variable that is wrong.
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Config {
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, { fallback, schema }]) => {
      const raw = env[name];
      const text =
        raw === undefined || raw === "" ? fallback : Array.isArray(raw) ? raw.join(" ") : String(raw);
      const result = v.safeParse(schema as v.GenericSchema<string>, text);
      if (!result.success) throw new ConfigError(`${name}: ${result.issues[0].message}`);
      return [name, result.output];
    }),
  ) as unknown as Values;
  const s3 = s3Access(values);
  if (values.BLOB_REDIRECT !== "off" && s3 === undefined)
    throw new ConfigError("BLOB_REDIRECT: without S3_ENDPOINT");
  return {
    anonymous: values.ANONYMOUS,
    publicRepositories: values.PUBLIC_REPOSITORIES,
    accounts: values.ACCOUNTS,
    tokenKeys: tokenKeys(values.TOKEN_KEY, values.TOKEN_KEY_PREVIOUS),
    tokenIssuers: values.TOKEN_ISSUERS,
    identityIssuers: values.IDENTITY_ISSUERS,
    publicUrl: values.PUBLIC_URL === "" ? undefined : values.PUBLIC_URL.replace(/\/+$/, ""),
    trustProxy: values.TRUST_PROXY,
    keyPrefix: values.KEY_PREFIX,
    readOnly: values.READ_ONLY,
    deleteEnabled: values.DELETE_ENABLED,
    immutableTags: values.IMMUTABLE_TAGS,
    repositoryClasses: values.REPOSITORY_CLASSES,
    urls: urlPolicy(values.MANIFEST_URLS_ALLOW, values.MANIFEST_URLS_DENY),
    maxReferences: values.MAX_REFERENCES,
    missingReferences: values.MISSING_REFERENCES,
    tagConsistency: values.TAG_CONSISTENCY,
    kvRecords: values.KV_RECORDS === "on",
    cacheTtl: values.CACHE_TTL,
    cacheBlobMax: values.CACHE_BLOB_MAX,
    concurrency: values.CONCURRENCY_LIMIT,
    operationsPerRequest: values.OPERATIONS_PER_REQUEST,
    webUi: values.WEB_UI === "on",
    gc: values.GC === "on",
    gcGraceHours: values.GC_GRACE_HOURS,
    gcTombstoneDays: values.GC_TOMBSTONE_DAYS,
    retention: values.RETENTION,
    foreignWrites: values.FOREIGN_WRITES,
    uploadKey: values.UPLOAD_KEY === "" ? undefined : values.UPLOAD_KEY,
    uploadBuffers: values.UPLOAD_BUFFERS,
    uploadBufferSize: 8 * mebibyte,
    maxSegments: values.MAX_SEGMENTS,
    chunkMinLength: values.CHUNK_MIN_LENGTH,
    chunkMaxLength: values.CHUNK_MAX_LENGTH,
    singlePutLimit: values.SINGLE_PUT_LIMIT,
    log: values.LOG,
    webhooks: values.WEBHOOKS,
    eventsPullSample: values.EVENTS_PULL_SAMPLE,
    eventsRetrySeconds: values.EVENTS_RETRY_SECONDS,
    serverTiming: values.SERVER_TIMING,
    s3,
    blobRedirect: values.BLOB_REDIRECT === "off" ? undefined : values.BLOB_REDIRECT,
    upstreams: values.UPSTREAMS,
    upstreamCredentials: values.UPSTREAM_CREDENTIALS,
  };
}

function s3Access(values: Values): S3Access | undefined {
  const names = ["S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"] as const;
  const missing = names.find((name) => values[name] === "");
  if (names.every((name) => values[name] === "")) return undefined;
  if (missing !== undefined) throw new ConfigError(`${missing}: needed with the other S3 variables`);
  return {
    endpoint: values.S3_ENDPOINT.replace(/\/+$/, ""),
    bucket: values.S3_BUCKET,
    accessKeyId: values.S3_ACCESS_KEY_ID,
    secretAccessKey: values.S3_SECRET_ACCESS_KEY,
  };
}

function tokenKeys(current: TokenKey | undefined, previous: TokenKey | undefined): readonly TokenKey[] {
  if (current === undefined && previous !== undefined)
    throw new ConfigError("TOKEN_KEY_PREVIOUS: without TOKEN_KEY");
  return [current, previous].filter((key) => key !== undefined);
}

function urlPolicy(allow: string[], deny: string[]): UrlPolicy {
  try {
    return createUrlPolicy(allow, deny);
  } catch (error) {
    throw new ConfigError(`MANIFEST_URLS_ALLOW or MANIFEST_URLS_DENY: ${String(error)}`);
  }
}
