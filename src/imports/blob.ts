import { blobEvent } from "../events/blob-event.ts";
import { statBlob } from "../storage/blobs.ts";
import { GuardWatch } from "../storage/guard.ts";
import { readLink } from "../storage/link.ts";
import { linkHeld } from "../storage/mount.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import { discardUpload } from "./cancel.ts";
import { commitChecked } from "./commit.ts";
import type { HeldJob } from "./held-job.ts";
import type { Importer } from "./importer.ts";
import type { PlannedBlob } from "./job.ts";
import { bringRanges } from "./ranges.ts";
import { upstreamContent } from "./transfer.ts";
import type { Turn } from "./turn.ts";

/** A step at work on a job. */
export interface Step {
  readonly importer: Importer;
  readonly held: HeldJob;
  readonly turn: Turn;
  /** Where the image comes from. */
  readonly repository: UpstreamRepository;
}

/** Brings all blobs of the job that are not there: small ones at once, then one large one after the other. */
export async function bringBlobs(step: Step): Promise<void> {
  const { importer, held, turn } = step;
  const missing = held.job.blobs.filter(({ done }) => !done);
  const isSmall = ({ size }: PlannedBlob) => size <= importer.rangeSize;
  await turn.each(missing.filter(isSmall), (blob) => bring(step, blob));
  for (const blob of missing) {
    if (!isSmall(blob)) await bring(step, blob);
  }
}

async function bring(step: Step, blob: PlannedBlob): Promise<void> {
  const { importer, held, turn } = step;
  const { digest, size } = blob;
  turn.check();
  const [guard, linked] = await Promise.all([
    GuardWatch.begin(importer.store),
    statBlob(importer.store, held.job.name, digest),
  ]);
  if (linked === undefined && !(await isHere(step, blob, guard))) {
    const isBrought = await fetchBlob(step, blob, guard).catch((error: unknown) => {
      const isMissing = error instanceof UpstreamError && error.fault === "missing";
      if (isMissing && (blob.optional || importer.acceptsMissing)) return false;
      throw error;
    });
    if (isBrought) importer.announce(blobEvent("push", held.job.name, { digest, size }));
  }
  // Also where another step, or another client, has brought the blob meanwhile.
  const session = held.job.blobs.find((each) => each.digest === digest)?.session;
  if (session !== undefined) await discardUpload(importer.store, held.job.name, session);
  held.changeBlob(digest, { done: true, bytes: size });
  turn.finished();
}

/** Whether the repository has the blob, if need be by linking what the bucket has. */
async function isHere(step: Step, { digest }: PlannedBlob, guard: GuardWatch): Promise<boolean> {
  const { importer, held, turn, repository } = step;
  const { store, blobs } = importer;
  const { name, from } = held.job;
  const [pulled, data] = await Promise.all([
    readLink(store, store.layout.layerLink(from.name, digest), digest),
    store.bucket.head(store.layout.blobData(digest)),
  ]);
  if (data === null) return false;
  // Whoever began the job may pull from there. Else the bytes may be those of a repository that nobody here may
  // read: the upstream must have them too.
  if (pulled.target !== digest) await turn.request(() => blobs.stat(repository, digest));
  return linkHeld(store, name, digest, guard);
}

async function fetchBlob(step: Step, blob: PlannedBlob, guard: GuardWatch): Promise<true> {
  const { importer, held, turn, repository } = step;
  if (blob.size > importer.rangeSize && (await bringRanges(step, blob))) return true;
  const content = upstreamContent(importer, repository, blob.digest, blob.size);
  await turn.request(() => commitChecked(importer, held.job.name, blob.digest, content, guard));
  return true;
}
