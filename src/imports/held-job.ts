import type { Digest } from "../oci/digest.ts";
import type { Store } from "../storage/store.ts";
import { type Job, type PlannedBlob, type StoredJob, writeJob } from "./job.ts";

/** Milliseconds for which a step that is not heard of counts as being at work. */
const lease = 30_000;
/** Milliseconds between two writes of a step that is at work; R2 takes one a second for a key. */
const beatEvery = 10_000;

/**
 * A job in the hands of the step that works on it. What the step achieves is remembered here, and written every
 * now and then: what is lost of it the bucket shows the next step. That nobody else works on it meanwhile is likely
 * and not certain, and nothing rests on it but that no work is done twice.
 */
export class HeldJob {
  readonly #store: Store;
  #stored: StoredJob;
  #job: Job;
  #writing: Promise<boolean> = Promise.resolve(true);

  private constructor(store: Store, stored: StoredJob) {
    this.#store = store;
    this.#stored = stored;
    this.#job = stored.job;
  }

  /** Takes the job in hand; undefined if another step has it, or takes it at this moment. */
  static async take(store: Store, stored: StoredJob): Promise<HeldJob | undefined> {
    const now = store.clock.now();
    if (stored.job.busyUntil > now) return undefined;
    const taken = await writeJob(store, stored, { ...stored.job, busyUntil: now + lease });
    return taken && new HeldJob(store, taken);
  }

  get id(): string {
    return this.#stored.id;
  }

  get job(): Job {
    return this.#job;
  }

  /** Remembers what has changed; the next write tells it. */
  change(change: Partial<Job>): void {
    this.#job = { ...this.#job, ...change };
  }

  changeBlob(digest: Digest, change: Partial<PlannedBlob>): void {
    this.change({
      blobs: this.#job.blobs.map((blob) => (blob.digest === digest ? { ...blob, ...change } : blob)),
    });
  }

  /**
   * Writes what is remembered, and that the step goes on.
   * @returns false if the job is not the step's any more: it was cancelled, or another one has it.
   */
  save(): Promise<boolean> {
    return this.#write(() => ({ busyUntil: this.#store.clock.now() + lease }));
  }

  /** Lets go of the job, with what is remembered. @returns as `save`. */
  release(change: Partial<Job>): Promise<boolean> {
    return this.#write(() => ({ ...change, busyUntil: 0 }));
  }

  /** Works, and has `onLost` told once the job is not the step's any more. */
  async while<Result>(work: () => Promise<Result>, onLost: () => void): Promise<Result> {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const beat = () => {
      timer = setTimeout(async () => {
        const isHeld = await this.save().catch(() => true);
        if (!isHeld) onLost();
        else if (!isOver) beat();
      }, beatEvery);
    };
    beat();
    try {
      return await work();
    } finally {
      isOver = true;
      clearTimeout(timer);
    }
  }

  /** One write after the other, each against the version that the one before has left. */
  #write(change: () => Partial<Job>): Promise<boolean> {
    const write = async (): Promise<boolean> => {
      this.change(change());
      const written = await writeJob(this.#store, this.#stored, this.#job);
      if (written === undefined) return false;
      this.#stored = written;
      return true;
    };
    const turn = this.#writing.then((isHeld) => isHeld && write());
    // A write that R2 refused may be tried again; who waits for it hears of the refusal.
    this.#writing = turn.catch(() => true);
    return turn;
  }
}
