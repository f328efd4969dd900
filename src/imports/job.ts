import * as v from "valibot";
import { type Digest, tryParseDigest } from "../oci/digest.ts";
import { type RepositoryName, type Tag, tryParseRepositoryName, tryParseTag } from "../oci/name.ts";
import { swap, type Version } from "../storage/register.ts";
import type { Store } from "../storage/store.ts";

/** A string that a parser makes something of. */
function parsed<Value extends string>(parse: (text: string) => Value | undefined) {
  return v.custom<Value>((value) => typeof value === "string" && parse(value) !== undefined);
}

const digest = parsed<Digest>(tryParseDigest);
const repository = parsed<RepositoryName>(tryParseRepositoryName);
const tag = parsed<Tag>(tryParseTag);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const plannedBlob = v.object({
  digest,
  /** Bytes, as the descriptor says. */
  size: count,
  /** Whether the image can do without it: clients get it from its own URLs. */
  optional: v.boolean(),
  /** The upload session whose segments a blob is brought in, which is too large for one request. */
  session: v.optional(v.string()),
  /** Bytes that the bucket has of it. */
  bytes: count,
  done: v.boolean(),
});

const job = v.object({
  state: v.picklist(["open", "done", "failed", "cancelled"]),
  /** The repository that the image comes into. */
  name: repository,
  /** Where it comes from: the repository of an upstream by its name here, and a tag or digest of it. */
  from: v.object({ name: repository, reference: v.union([digest, tag]) }),
  tags: v.array(tag),
  /** Whether what refers to the image's manifests comes too: signatures, attestations. */
  referrers: v.boolean(),
  /** The classes for which the caller's token named the repository (A76). */
  classes: v.array(v.string()),
  createdBy: v.string(),
  /** Unix time in milliseconds, as all times here. */
  createdAt: count,
  /** Once the upstream has said it. */
  root: v.optional(digest),
  /** Referrers that the upstream has listed: its list may name some that it has no more. */
  listedReferrers: v.array(digest),
  /** Manifests that are still to be read, the next one last. */
  unread: v.array(digest),
  /** Manifests that were read: each before those that it refers to. One may stand in it more than once. */
  manifests: v.array(digest),
  /** How many the upstream has not got, and the image does without. */
  absent: count,
  /** How many of `manifests` the upstream was asked for referrers of, from the first one on. */
  listed: count,
  /** How many of `manifests` are stored, from the last one on. */
  stored: count,
  blobs: v.array(plannedBlob),
  /** The versions of the tags' registers when they were about to be set: they are set over those alone. */
  expected: v.optional(v.array(v.nullable(v.string()))),
  /** The furthest that it ever was, see `progressOf`: bytes that are brought again are none that are won. */
  furthest: count,
  /** Steps that failed since then, but for those that got on all the same. */
  failures: count,
  /** Until then no step is worth trying. */
  notBefore: count,
  error: v.optional(v.object({ code: v.string(), message: v.string() })),
  /** Until then a step is at work, unless it died. */
  busyUntil: count,
});

/** An image on its way from an upstream into a repository, as the bucket keeps it between steps. */
export type Job = v.InferOutput<typeof job>;
export type PlannedBlob = v.InferOutput<typeof plannedBlob>;

/** A job as it was read, for a later write. */
export interface StoredJob {
  readonly id: string;
  readonly version: Version;
  readonly job: Job;
}

/** A job that has not begun. */
export function newJob(
  wanted: Pick<Job, "name" | "from" | "tags" | "referrers" | "classes" | "createdBy">,
  now: number,
): Job {
  return {
    state: "open",
    ...wanted,
    createdAt: now,
    listedReferrers: [],
    unread: [],
    manifests: [],
    absent: 0,
    listed: 0,
    stored: 0,
    blobs: [],
    furthest: 0,
    failures: 0,
    notBefore: 0,
    busyUntil: 0,
  };
}

/** Reads a job: undefined if there is none of that id, or one that cannot be read. */
export async function readJob(store: Store, id: string): Promise<StoredJob | undefined> {
  const object = await store.bucket.get(store.layout.importJob(id));
  if (object === null) return undefined;
  const result = v.safeParse(job, tryJson(await object.text()));
  return result.success ? { id, version: object.etag, job: result.output } : undefined;
}

/** Reads the job of a repository; undefined if there is none of that id. */
export async function findJob(
  store: Store,
  name: RepositoryName,
  id: string,
): Promise<StoredJob | undefined> {
  if (!/^[0-9a-f-]{36}$/.test(id)) return undefined;
  const stored = await readJob(store, id);
  return stored?.job.name === name ? stored : undefined;
}

/**
 * Writes a job if nobody else did since it was read.
 * @returns it as it is stored then; undefined if somebody did.
 */
export async function writeJob(
  store: Store,
  { id, version }: Pick<StoredJob, "id" | "version">,
  job: Job,
): Promise<StoredJob | undefined> {
  // The nonce makes each version distinct, as in every register.
  const body = JSON.stringify({ ...job, nonce: crypto.randomUUID() });
  const metadata = { state: job.state, repository: job.name };
  const written = await swap(store, store.layout.importJob(id), version, body, metadata);
  return written === undefined ? undefined : { id, version: written, job };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
