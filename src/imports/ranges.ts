import { segmentContent } from "../storage/content.ts";
import { GuardWatch } from "../storage/guard.ts";
import { createSegment, listSegments } from "../storage/segments.ts";
import { UpstreamError, unreachable } from "../upstream/upstream-error.ts";
import type { Step } from "./blob.ts";
import { discardUpload } from "./cancel.ts";
import { commitChecked } from "./commit.ts";
import type { PlannedBlob } from "./job.ts";
import { type Range, transferRange } from "./transfer.ts";

const mebibyte = 1024 * 1024;

/**
 * Where the segments of a blob lie: each step finds those of the one before in their places.
 * @param usual bytes of a segment, unless that makes more than `maxSegments`.
 */
export function rangesOf(size: number, usual: number, maxSegments: number): readonly Range[] {
  const isTooMany = size > usual * maxSegments;
  const length = isTooMany ? Math.ceil(size / maxSegments / mebibyte) * mebibyte : usual;
  return Array.from({ length: Math.ceil(size / length) }, (_, index) => {
    const offset = index * length;
    return { offset, size: Math.min(length, size - offset) };
  });
}

/**
 * Brings a blob as segments of an upload session, one for each range: what is there stays there, whatever becomes
 * of the step. Once all are there, they are committed as those of any upload.
 * @returns false if the upstream serves no ranges.
 * @throws UpstreamError, TurnOver
 */
export async function bringRanges(step: Step, blob: PlannedBlob): Promise<boolean> {
  const { importer, held, turn } = step;
  const { store, rangeSize, maxSegments } = importer;
  const { digest } = blob;
  const { name } = held.job;
  const ranges = rangesOf(blob.size, rangeSize, maxSegments);
  const { session, sizes } = await openSession(step, blob, ranges);
  const [first, ...others] = ranges.filter(({ offset, size }) => sizes.get(offset) !== size);
  const fetchRange = async (range: Range): Promise<boolean> => {
    if (!(await turn.request(() => transfer(step, blob, session, range)))) return false;
    sizes.set(range.offset, range.size);
    held.changeBlob(digest, { bytes: Array.from(sizes.values()).reduce((sum, size) => sum + size, 0) });
    return true;
  };
  if (first !== undefined && !(await fetchRange(first))) return false;
  await turn.each(others, async (range) => {
    if (!(await fetchRange(range))) throw unreachable("an upstream that serves ranges at times");
  });
  turn.check();
  const content = segmentContent(store, name, session, ranges);
  try {
    await turn.request(async () =>
      commitChecked(importer, name, digest, content, await GuardWatch.begin(store), session),
    );
  } catch (error) {
    // Bytes of another digest must not be found by the next step.
    if (error instanceof UpstreamError) await replaceSession(step, digest, session);
    throw error;
  }
  return true;
}

/** The session in which the blob is brought, and the size of what it has at each offset. */
async function openSession(step: Step, { digest, session }: PlannedBlob, ranges: readonly Range[]) {
  const none = new Map<number, number>();
  if (session === undefined) return { session: await beginSession(step, digest), sizes: none };
  const { segments } = await listSegments(step.importer.store, step.held.job.name, session);
  const sizes = new Map(segments.map(({ offset, size }) => [offset, size]));
  const wanted = new Map(ranges.map(({ offset, size }) => [offset, size]));
  if (segments.every(({ offset, size }) => wanted.get(offset) === size)) return { session, sizes };
  // They were cut by another release, or configuration: nothing else fits between them.
  return { session: await replaceSession(step, digest, session), sizes: none };
}

async function replaceSession(step: Step, digest: PlannedBlob["digest"], session: string): Promise<string> {
  const next = await beginSession(step, digest);
  await discardUpload(step.importer.store, step.held.job.name, session);
  return next;
}

/** A session for the blob, which the job knows of before anything is stored in it. */
async function beginSession({ held, turn }: Step, digest: PlannedBlob["digest"]): Promise<string> {
  const session = crypto.randomUUID();
  held.changeBlob(digest, { session, bytes: 0 });
  if (!(await held.save())) turn.stop();
  return session;
}

/** @returns false if the upstream serves no ranges. */
async function transfer(
  { importer, held, repository }: Step,
  { digest, size }: PlannedBlob,
  session: string,
  range: Range,
): Promise<boolean> {
  // One that another step has put there meanwhile is of the same bytes, or the digest will tell.
  const put = (body: ReadableStream) =>
    createSegment(importer.store, held.job.name, session, range.offset, body);
  return (await transferRange(importer, repository, digest, range, size, put)) !== undefined;
}
