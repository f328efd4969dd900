import * as v from "valibot";
import { parseAccounts } from "./auth/accounts.ts";
import { parsePatterns } from "./auth/grants.ts";
import { parseIdentityIssuers } from "./auth/identities.ts";
import { parseTokenIssuers } from "./auth/token-issuers.ts";
import { parseTokenKey } from "./auth/token-key.ts";
import { parseWebhooks } from "./events/webhooks.ts";
import { parseRetention } from "./maintenance/retention/rules.ts";
import { logLevels } from "./observe/log-line.ts";
import { timingAudiences } from "./observe/server-timing.ts";
import { compiled, flag, number, parsed, setting, words } from "./setting.ts";
import { maxPrefixLength } from "./storage/layout.ts";
import { parseTagPatterns } from "./storage/tag-pattern.ts";
import { parseUpstreamCredentials, parseUpstreams } from "./upstream/upstream.ts";

const mebibyte = 1024 * 1024;

/** Every variable that Skerry reads. docs/configuration.md and the README's table are checked against it. */
export const settings = {
  ANONYMOUS: setting(
    "none",
    v.picklist(["none", "pull", "all"]),
    "What a client without credentials may do in every repository: nothing, `pull`, or `all` (push and delete too). `npm start` sets `all`.",
  ),
  PUBLIC_REPOSITORIES: setting(
    "",
    compiled(parsePatterns),
    "Repositories that everybody may pull from: patterns separated by spaces, `*` for any characters.",
  ),
  ACCOUNTS: setting(
    "",
    parsed(parseAccounts),
    "Secret: who may log in, with the hash of his key and his grants, as JSON (docs/security.md). `npm run skerry -- key --account NAME` makes an entry.",
  ),
  TOKEN_KEY: setting(
    "",
    parsed(parseTokenKey),
    "Secret: the key that signs tokens, as `npm run skerry -- key` makes it. Empty: there are no tokens, and clients log in with every request.",
  ),
  TOKEN_KEY_PREVIOUS: setting(
    "",
    parsed(parseTokenKey),
    "Secret: the `TOKEN_KEY` before, whose tokens are still believed, while it is being replaced.",
  ),
  TOKEN_ISSUERS: setting(
    "",
    parsed(parseTokenIssuers),
    "Other token servers whose tokens are believed, as JSON (docs/security.md).",
  ),
  IDENTITY_ISSUERS: setting(
    "",
    parsed(parseIdentityIssuers),
    "Issuers of identity tokens, such as GitHub Actions, that are taken as passwords, with rules, as JSON (docs/security.md).",
  ),
  PUBLIC_URL: setting(
    "",
    v.union([v.literal(""), v.pipe(v.string(), v.url())]),
    "Scheme and host under which clients reach the registry, for `Location` headers. Empty: as the request says.",
  ),
  TRUST_PROXY: setting(
    "false",
    flag,
    "Whether `X-Forwarded-Proto` and `X-Forwarded-Host` are believed when `PUBLIC_URL` is empty.",
  ),
  KEY_PREFIX: setting(
    "",
    v.pipe(v.string(), v.regex(/^([A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*)?$/), v.maxBytes(maxPrefixLength)),
    "Folder of the bucket that holds the registry; distribution's `rootdirectory` without outer slashes.",
  ),
  READ_ONLY: setting("false", flag, "Whether every write is refused with 405."),
  DELETE_ENABLED: setting("true", flag, "Whether tags, manifests and blobs can be deleted; if not, 405."),
  IMMUTABLE_TAGS: setting(
    "",
    compiled(parseTagPatterns),
    "Tags that may only ever name one manifest: `<repository>:<tag>` patterns separated by spaces, `*` for any characters.",
  ),
  REPOSITORY_CLASSES: setting(
    "",
    words,
    "Kinds of manifests that are accepted, `image` and `plugin`, separated by a space. Empty: every manifest.",
  ),
  MANIFEST_URLS_ALLOW: setting(
    "",
    words,
    "Regular expressions, separated by spaces, one of which a layer's `urls` must match. Empty: any http or https URL.",
  ),
  MANIFEST_URLS_DENY: setting(
    "",
    words,
    "Regular expressions, separated by spaces, none of which a layer's `urls` may match.",
  ),
  MAX_REFERENCES: setting("800", number(1, 50_000), "Blobs and manifests that one manifest may refer to."),
  MISSING_REFERENCES: setting(
    "refuse",
    v.picklist(["refuse", "accept"]),
    "What happens to a manifest that refers to a blob or manifest that is not there. `accept` takes sparse images, whose missing parts cannot be pulled.",
  ),
  TAG_CONSISTENCY: setting(
    "strong",
    v.picklist(["strong", "eventual"]),
    "`strong`: R2 is asked for every pull by tag. `eventual`: KV alone answers, up to about a minute late.",
  ),
  KV_RECORDS: setting("on", v.picklist(["on", "off"]), "Whether tag records are kept in KV at all."),
  CACHE_TTL: setting(
    "3600",
    number(0, 31_536_000),
    "Seconds for which a data centre serves its own copy of a manifest or blob by digest, even after a deletion elsewhere. 0: no copies.",
  ),
  CACHE_BLOB_MAX: setting(
    String(32 * mebibyte),
    number(0, 512 * mebibyte),
    "Bytes of the largest blob that data centres copy. 0: no blobs.",
  ),
  CONCURRENCY_LIMIT: setting(
    "6",
    number(1, 100),
    "R2 operations that one loop of a request keeps in flight; Workers let six wait for an answer at once.",
  ),
  OPERATIONS_PER_REQUEST: setting(
    "900",
    number(100, 10_000_000),
    "R2 and KV operations that a delete by digest, a step of garbage collection, or imports may use in one request or run before the rest is left for the next one. The platform allows 1,000 on the Free plan and 10,000 by default on the Paid plan.",
  ),
  WEB_UI: setting(
    "on",
    v.picklist(["on", "off"]),
    "Whether browsers are shown the web pages (docs/web.md) at `/`.",
  ),
  GC: setting(
    "on",
    v.picklist(["on", "off"]),
    "Whether the Worker's cron trigger collects garbage. `npm run skerry -- gc` and the admin API do so all the same.",
  ),
  GC_GRACE_HOURS: setting(
    "24",
    number(1, 24 * 365),
    "Hours from when garbage collection first saw something unreferenced until it may go. Longer than the longest push.",
  ),
  GC_TOMBSTONE_DAYS: setting(
    "30",
    number(1, 3650),
    "Days for which the history of a deleted tag is kept, and the trace of a deleted manifest.",
  ),
  FOREIGN_WRITES: setting(
    "off",
    v.picklist(["off", "allowed", "events"]),
    "Whether distribution writes to the bucket at the same time (docs/big-layers.md): `off`, it does not; `allowed`, it does, and garbage collection takes no blobs; `events`, it does, and the bucket's event notifications tell of it.",
  ),
  RETENTION: setting(
    "",
    parsed(parseRetention),
    "Which tags and manifests may go by themselves, as JSON (docs/retention.md). Empty: none.",
  ),
  UPLOAD_KEY: setting(
    "",
    v.union([v.literal(""), v.pipe(v.string(), v.minLength(16))]),
    "Secret that signs upload sessions, 16 characters or more. Empty: a random one kept in the bucket.",
  ),
  UPLOAD_BUFFERS: setting(
    "6",
    number(1, 12),
    "Buffers of 8 MiB for bodies of unknown length, for all requests of an isolate (128 MB of memory in all).",
  ),
  MAX_SEGMENTS: setting(
    "900",
    number(1, 9000),
    "Chunks (of at most 8 MiB each when their length is unknown) of one upload; each costs an R2 read at its end.",
  ),
  CHUNK_MIN_LENGTH: setting(
    String(5 * mebibyte),
    number(0, 100 * mebibyte),
    "Bytes announced as `OCI-Chunk-Min-Length` to clients that upload in chunks; smaller chunks are accepted all the same.",
  ),
  CHUNK_MAX_LENGTH: setting(
    String(95 * mebibyte),
    number(mebibyte, 5000 * mebibyte),
    "Bytes announced as `OCI-Chunk-Max-Length`; the limit that counts is the Cloudflare plan's for request bodies.",
  ),
  SINGLE_PUT_LIMIT: setting(
    String(5 * 1024 * mebibyte - 5 * mebibyte),
    number(5 * mebibyte, 5 * 1024 * mebibyte - 5 * mebibyte),
    "Bytes of a blob up to which it is written by one R2 put, and above by a multipart upload; R2's own limit by default.",
  ),
  S3_ENDPOINT: setting(
    "",
    v.union([v.literal(""), v.pipe(v.string(), v.url(), v.startsWith("http"))]),
    "Where the bucket is reached by S3's API, `https://<account>.r2.cloudflarestorage.com`: clients may then send parts of big layers straight to it (docs/big-layers.md). Empty: not at all.",
  ),
  S3_BUCKET: setting("", v.string(), "Name of the bucket at `S3_ENDPOINT`."),
  S3_ACCESS_KEY_ID: setting(
    "",
    v.string(),
    "Secret: the access key of an R2 API token that reads and writes this bucket.",
  ),
  S3_SECRET_ACCESS_KEY: setting("", v.string(), "Secret: what belongs to the access key."),
  BLOB_REDIRECT: setting(
    "off",
    v.union([v.literal("off"), number(1, 5_000_000_000_000)]),
    "Bytes from which on a blob is not sent by the Worker: clients are redirected to `S3_ENDPOINT`, by a URL that is good for 20 minutes.",
  ),
  LOG: setting(
    "requests",
    v.picklist(logLevels),
    "Which requests are logged, a line of JSON each: `off`; `errors`, those answered by a 5xx; `audit`, writes, deletes and refusals too; `requests`, all. `npm start` sets `errors`.",
  ),
  SERVER_TIMING: setting(
    "admins",
    v.picklist(timingAudiences),
    "Who gets `Server-Timing` with the operations that his request took: nobody (`off`), those who may do everything (`admins`), `everybody`.",
  ),
  UPSTREAMS: setting(
    "",
    parsed(parseUpstreams),
    "Other registries whose repositories are pulled through this one, as JSON (docs/pull-through.md).",
  ),
  UPSTREAM_CREDENTIALS: setting(
    "",
    parsed(parseUpstreamCredentials),
    'Secret: what to log in to upstreams with, as JSON: `{"docker.io": {"username": "…", "password": "…"}}`.',
  ),
  WEBHOOKS: setting(
    "",
    parsed(parseWebhooks),
    "Secret: who is told of pushes, deletes, tags and pulls, with URL and key, as JSON (docs/events.md).",
  ),
  EVENTS_PULL_SAMPLE: setting(
    "1",
    v.pipe(v.string(), v.regex(/^(0(\.\d+)?|1)$/), v.transform(Number)),
    "Share of pulls, 0 to 1, that webhooks which ask for pulls are told of.",
  ),
  EVENTS_RETRY_SECONDS: setting(
    "10",
    number(1, 3600),
    "Seconds before a delivery that failed is repeated, with the queue; each further time twice as long, up to an hour.",
  ),
} as const;
