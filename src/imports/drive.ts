import * as v from "valibot";
import { forgetOld } from "./forget.ts";
import type { Importer } from "./importer.ts";
import { readJob } from "./job.ts";
import { listImports } from "./list.ts";
import { runImportStep } from "./step.ts";

/** What stands in the queue of imports: that this one is to be gone on with. */
export interface ImportMessage {
  readonly import: string;
}

/** The part of the queue's producer that is used. */
export type ImportQueue = Pick<Queue<ImportMessage>, "send">;

const message = v.object({ import: v.string() });

/** Milliseconds for which a run works on one import before it turns to the next, and in all: Workers give it 15 minutes. */
const shareTime = 2 * 60 * 1000;
const runTime = 10 * 60 * 1000;
/** Seconds that a queue delays a message at most here, and at least: another step may have the job. */
const longestDelay = 15 * 60;
const shortestDelay = 5;

/**
 * Goes on with an import until it is over or has to wait, or the time or what the invocation may use is up.
 * @param until Unix time in milliseconds.
 * @returns milliseconds after which it is worth going on; undefined if it is over, or there is none of that id.
 */
export async function driveImport(
  importer: Importer,
  id: string,
  until: number,
): Promise<number | undefined> {
  const { store } = importer;
  const { clock } = store;
  for (;;) {
    const stored = await readJob(store, id);
    if (stored === undefined) return undefined;
    const job = await runImportStep(importer, stored);
    if (job.state !== "open") return undefined;
    const wait = Math.max(job.notBefore, job.busyUntil) - clock.now();
    if (wait > 0 || isOver(importer, until)) return Math.max(wait, 0);
  }
}

/**
 * Goes on with all open imports, in turns, and forgets those that are over for long: the cron's part. Those that were
 * gone on with last come last, since a run may not suffice for all.
 */
export async function driveImports(importer: Importer): Promise<void> {
  const { store } = importer;
  const { clock } = store;
  const until = clock.now() + runTime;
  const listed = await listImports(store);
  await forgetOld(store, listed);
  let open = listed
    .filter(({ state }) => state === "open")
    .toSorted((one, other) => one.at - other.at)
    .map(({ id }) => id);
  while (open.length > 0) {
    const goOn: string[] = [];
    for (const id of open) {
      if (isOver(importer, until)) return;
      const wait = await driveImport(importer, id, Math.min(clock.now() + shareTime, until)).catch(
        reportFailure,
      );
      // One that has to wait is the next run's.
      if (wait === 0) goOn.push(id);
    }
    open = goOn;
  }
}

/** Takes a batch of the queue of imports: each is gone on with, and queued again if it is not over then. */
export async function consumeImports(
  importer: Importer,
  queue: ImportQueue | undefined,
  messages: readonly Pick<Message, "body" | "ack">[],
): Promise<void> {
  const { clock } = importer.store;
  const until = clock.now() + runTime;
  for (const each of messages) {
    if (v.is(message, each.body)) {
      const wait = isOver(importer, until) ? 0 : await driveImport(importer, each.body.import, until);
      // A message of its own, since the queue counts how often one is tried. Without a way to send one the cron goes on.
      if (wait !== undefined) await queue?.send(each.body, { delaySeconds: delayOf(wait) });
    } else console.error("the queue of imports holds something else");
    each.ack();
  }
}

/** Whether the run has no time left, or has used what an invocation of the Worker is granted. */
function isOver({ store, usage, allowance }: Importer, until: number): boolean {
  return store.clock.now() >= until || usage.isUp(allowance);
}

function delayOf(wait: number): number {
  return Math.min(Math.max(Math.ceil(wait / 1000), wait > 0 ? shortestDelay : 0), longestDelay);
}

/** One whose record cannot be read or written keeps no other from going on. */
function reportFailure(error: unknown): undefined {
  console.error("a step of an import could not be taken", error);
}
