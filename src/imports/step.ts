import { RegistryError } from "../oci/error.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import { bringBlobs, type Step } from "./blob.ts";
import { discardUploads } from "./cancel.ts";
import { afterFailure, afterShare } from "./failure.ts";
import { finish } from "./finish.ts";
import { HeldJob } from "./held-job.ts";
import type { Importer } from "./importer.ts";
import { type Job, readJob, type StoredJob } from "./job.ts";
import { plan } from "./plan.ts";
import { progressOf } from "./progress.ts";
import { Turn, TurnOver } from "./turn.ts";

/** Milliseconds after which an import that is not done is given up; the sessions of its uploads live as long. */
const lifetime = 7 * 24 * 3600 * 1000;

/**
 * One bounded step of an import. It may die anywhere: what it brought stays, and the next one goes on from there.
 * It begins nothing more once its allowance is used up, but brings to its end what it has begun; the commit of a
 * blob takes as long as R2 takes to write it.
 * @returns the job as it then stands; as it was if another step is at work on it, or it is not time for one.
 */
export async function runImportStep(importer: Importer, stored: StoredJob): Promise<Job> {
  const { clock } = importer.store;
  if (stored.job.state !== "open" || stored.job.notBefore > clock.now()) return stored.job;
  const held = await HeldJob.take(importer.store, stored);
  if (held === undefined) return stored.job;
  const turn = new Turn(clock, importer.allowance, importer.usage);
  const outcome = await held.while(
    () => work(importer, held, turn),
    () => turn.stop(),
  );
  if (!(await held.release(outcome))) return (await readJob(importer.store, held.id))?.job ?? held.job;
  if (held.job.state !== "open") importer.log(lineOf(held, clock.now()));
  if (held.job.state === "failed") await discardUploads(importer.store, held.job);
  return held.job;
}

/** What the log says of an import that is over. */
function lineOf({ id, job }: HeldJob, now: number): string {
  const { state, name, from, tags, root, blobs, createdBy, createdAt, error } = job;
  return JSON.stringify({
    event: "import",
    id,
    state,
    repository: name,
    from: from.name,
    reference: from.reference,
    tags,
    digest: root,
    bytes: blobs.reduce((sum, { size }) => sum + size, 0),
    ms: now - createdAt,
    caller: createdBy,
    error,
  });
}

/** @returns what has become of the job. */
async function work(importer: Importer, held: HeldJob, turn: Turn): Promise<Partial<Job>> {
  const { clock } = importer.store;
  const start = progressOf(held.job);
  try {
    const repository = sourceOf(importer, held.job);
    const step: Step = { importer, held, turn, repository };
    await plan(step);
    await bringBlobs(step);
    await finish(step);
    return { state: "done", failures: 0, error: undefined };
  } catch (error) {
    const share = error instanceof TurnOver ? afterShare(held.job, start) : undefined;
    return share ?? afterFailure(error, held.job, start, clock.now());
  }
}

/** Where the image comes from. @throws RegistryError for a job that can come to no good end any more. */
function sourceOf({ store, upstreamOf }: Importer, { createdAt, name, from }: Job): UpstreamRepository {
  if (store.clock.now() - createdAt > lifetime) throw hopeless("the import took more than a week");
  if (upstreamOf(name) !== undefined) throw hopeless("the repository mirrors another registry");
  const repository = upstreamOf(from.name);
  if (repository === undefined) throw hopeless(`${from.name} is of no upstream any more`);
  return repository;
}

function hopeless(message: string): RegistryError {
  return new RegistryError("UNSUPPORTED", { status: 400, message });
}
