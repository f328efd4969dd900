import { RegistryError } from "../oci/error.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import type { Job } from "./job.ts";
import { progressOf } from "./progress.ts";

/** Failures without progress after which an import is given up. */
const mostFailures = 10;
/** Milliseconds before the first repetition, each further one waiting twice as long, and at most. */
const firstPause = 5000;
const longestPause = 15 * 60 * 1000;

/**
 * What becomes of a job whose step has done its share; undefined if that was nothing, which is a failure.
 * @param start how far it was before.
 */
export function afterShare(job: Job, start: number): Partial<Job> | undefined {
  const reached = progressOf(job);
  if (reached > job.furthest) return { furthest: reached, failures: 0, error: undefined };
  return reached > start ? { error: undefined } : undefined;
}

/**
 * What becomes of a job whose step failed: it waits, or is over if waiting is of no use.
 * @param start how far it was before the step.
 * @param now Unix time in milliseconds.
 */
export function afterFailure(error: unknown, job: Job, start: number, now: number): Partial<Job> {
  const told = { error: describe(error) };
  if (isOfSweep(error)) {
    // Garbage collection has taken what was brought too long ago: it is looked for, and brought, again.
    const left = { stored: 0, blobs: job.blobs.map(undone) };
    return { ...told, ...left, ...counted({ ...job, ...left }, start, now) };
  }
  if (!isPassing(error)) return { ...told, state: "failed" };
  const { state, ...waiting } = { ...told, ...counted(job, start, now) };
  // One that limits requests may have let through all that it will for hours.
  const isLimited = error instanceof UpstreamError && error.fault === "limited";
  const pause = error instanceof RegistryError ? Number(error.headers["Retry-After"] ?? 0) * 1000 : 0;
  return {
    ...waiting,
    notBefore: Math.max(waiting.notBefore, now + pause),
    ...(state !== undefined && !isLimited && { state }),
  };
}

/** One step that failed is counted more, unless it got on. What it won over all steps before makes up for theirs. */
function counted(
  job: Job,
  start: number,
  now: number,
): Pick<Job, "furthest" | "failures" | "notBefore"> & Partial<Job> {
  const reached = progressOf(job);
  const before = reached > job.furthest ? 0 : job.failures;
  const failures = Math.max(1, reached > start ? before : before + 1);
  const pause = Math.min(firstPause * 2 ** (failures - 1), longestPause);
  return {
    furthest: Math.max(job.furthest, reached),
    failures,
    notBefore: now + pause,
    ...(failures >= mostFailures && { state: "failed" as const }),
  };
}

function undone<Blob extends Job["blobs"][number]>(blob: Blob): Blob {
  return { ...blob, bytes: 0, done: false };
}

/** Whether the same step may succeed later. */
function isPassing(error: unknown): boolean {
  if (error instanceof UpstreamError) return error.isPassing;
  // A session whose segments are gone was committed by another step.
  return (
    !(error instanceof RegistryError) ||
    error.status >= 500 ||
    error.entries[0]?.code === "BLOB_UPLOAD_UNKNOWN"
  );
}

function isOfSweep(error: unknown): boolean {
  return error instanceof RegistryError && error.entries[0]?.code === "MANIFEST_BLOB_UNKNOWN";
}

/** What clients are told: nothing of what went wrong inside. */
function describe(error: unknown): NonNullable<Job["error"]> {
  if (!(error instanceof RegistryError)) {
    console.warn("a step of an import failed", error);
    return { code: "UNKNOWN", message: "a transfer broke off" };
  }
  const { code, message } = error.entries[0] ?? { code: "UNKNOWN", message: "internal error" };
  return { code, message };
}
