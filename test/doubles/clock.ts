import type { Clock } from "../../src/storage/ports.ts";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is moved. All times are milliseconds. */
export class VirtualClock implements Clock {
  readonly #automatic: boolean;
  #now: number;
  #sleepers: Sleeper[] = [];

  /** With `automatic`, a sleep moves the clock by its length and ends at once. */
  constructor(options: { readonly start?: number; readonly automatic?: boolean } = {}) {
    this.#now = options.start ?? Date.UTC(2026, 0, 1);
    this.#automatic = options.automatic ?? false;
  }

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number): Promise<void> {
    if (this.#automatic) {
      this.advance(milliseconds);
      return Promise.resolve();
    }
    return new Promise((wake) => {
      this.#sleepers.push({ until: this.#now + milliseconds, wake });
    });
  }

  /** How many sleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Moves the clock and wakes those whose time has come, earliest first. */
  advance(milliseconds: number): void {
    this.#now += Math.max(0, milliseconds);
    const due = this.#sleepers.filter((sleeper) => sleeper.until <= this.#now);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.until > this.#now);
    for (const sleeper of due.toSorted((a, b) => a.until - b.until)) sleeper.wake();
  }
}
