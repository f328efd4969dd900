import type { Job } from "./job.ts";

/**
 * How far an import is, as a number that grows with whatever is brought: bytes for the most part. It falls when what
 * was brought turns out to be worthless, or is gone.
 */
export function progressOf({ manifests, absent, listed, stored, blobs }: Job): number {
  const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0);
  const done = blobs.filter((blob) => blob.done).length;
  // A descriptor may claim any size.
  return Math.min(manifests.length + absent + listed + stored + bytes + done, Number.MAX_SAFE_INTEGER);
}
