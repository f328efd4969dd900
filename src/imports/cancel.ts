import { retryLater } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { listSegments, removeSegments } from "../storage/segments.ts";
import type { Store } from "../storage/store.ts";
import { type Job, readJob, type StoredJob, writeJob } from "./job.ts";

const tries = 5;

/**
 * Ends an import. A step that is at work finds out within seconds, and begins nothing more; blobs that came stay,
 * for garbage collection if nothing needs them.
 * @returns the job as it then stands: one that was over before is as it was.
 * @throws RegistryError 503 when steps go on writing it.
 */
export async function endImport(store: Store, read: StoredJob): Promise<Job> {
  let stored: StoredJob | undefined = read;
  for (let attempt = 0; attempt < tries && stored !== undefined; attempt++) {
    if (stored.job.state !== "open") return stored.job;
    const written = await writeJob(store, stored, { ...stored.job, state: "cancelled", busyUntil: 0 });
    if (written !== undefined) return written.job;
    stored = await readJob(store, read.id);
  }
  throw retryLater(1, "the import is being written by others");
}

/** Removes what an import that is over has left of large blobs. */
export async function discardUploads(store: Store, { name, blobs }: Job): Promise<void> {
  for (const { session, done } of blobs) {
    if (session !== undefined && !done) await discardUpload(store, name, session);
  }
}

/** Removes all that the bucket has of one upload session of an import. */
export async function discardUpload(store: Store, name: RepositoryName, session: string): Promise<void> {
  const { segments } = await listSegments(store, name, session);
  await removeSegments(store, name, session, segments);
}
