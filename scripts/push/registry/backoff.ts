import { RegistryFailure } from "./failure.ts";

/** How failed requests are repeated. */
export interface Retries {
  /** Failures in a row after which it is given up. */
  readonly attempts: number;
  /** Waits; milliseconds. */
  sleep(milliseconds: number): Promise<void>;
  /** From 0 to 1. */
  random(): number;
  /** Is told of every wait. */
  report(failure: RegistryFailure, milliseconds: number): void;
}

/** Milliseconds: the waits double from the first to the longest. */
const firstWait = 500;
const longestWait = 30_000;
/** A registry that asks for a longer wait than this gets the user's attention instead. */
const longestRetryAfter = 300_000;

/** Waits between attempts at one thing, the longer the more of them failed in a row. */
export class Backoff {
  readonly #retries: Retries;
  #failures = 0;

  constructor(retries: Retries) {
    this.#retries = retries;
  }

  /** Something succeeded: the next failure is the first one again. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Waits after a failure: as long as the registry says, or between half and the whole of a time that doubles.
   * @throws `error` itself, if no repetition helps or there were enough of them.
   */
  async pause(error: unknown): Promise<void> {
    if (!(error instanceof RegistryFailure) || !error.isTemporary) throw error;
    this.#failures++;
    if (this.#failures >= this.#retries.attempts || (error.retryAfter ?? 0) > longestRetryAfter) throw error;
    const wait = Math.min(firstWait * 2 ** (this.#failures - 1), longestWait);
    const milliseconds = Math.max(error.retryAfter ?? 0, wait * (0.5 + this.#retries.random() / 2));
    this.#retries.report(error, milliseconds);
    await this.#retries.sleep(milliseconds);
  }
}
