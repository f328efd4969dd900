import { RegistryError } from "../oci/error.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import type { Job } from "./job.ts";

/** Failures in a row after which an import is given up. */
const mostFailures = 10;
/** Milliseconds before the first repetition, each further one waiting twice as long, and at most. */
const firstPause = 5000;
const longestPause = 15 * 60 * 1000;

/**
 * What becomes of a job whose step failed: it waits, or is over if waiting is of no use.
 * @param achieved whether the step got something done before.
 * @param now Unix time in milliseconds.
 */
export function afterFailure(error: unknown, job: Job, achieved: boolean, now: number): Partial<Job> {
  const told = { error: describe(error) };
  if (isOfSweep(error)) {
    // Garbage collection has taken what was brought too long ago: it is looked for, and brought, again.
    return { ...told, ...counted(job, false, now), stored: 0, blobs: job.blobs.map(undone) };
  }
  if (!isPassing(error)) return { ...told, state: "failed" };
  const waiting = { ...told, ...counted(job, achieved, now) };
  const pause = error instanceof RegistryError ? Number(error.headers["Retry-After"] ?? 0) * 1000 : 0;
  return { ...waiting, notBefore: Math.max(waiting.notBefore, now + pause) };
}

function counted(job: Job, achieved: boolean, now: number) {
  const failures = achieved ? 1 : job.failures + 1;
  const pause = Math.min(firstPause * 2 ** (failures - 1), longestPause);
  return { failures, notBefore: now + pause, ...(failures >= mostFailures && { state: "failed" as const }) };
}

function undone<Blob extends Job["blobs"][number]>(blob: Blob): Blob {
  return { ...blob, done: false };
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
