import type { VirtualClock } from "../doubles/clock.ts";
import type { Call, Failure } from "../doubles/gate.ts";
import { type Operation, printOperation } from "../doubles/operation.ts";
import { nothingMoves } from "../doubles/rounds.ts";

/** An operation, or the end of a sleep, that waits for its turn. */
export interface Pending {
  /** The same in every run in which the same actor does the same: actor, operation, and which one of its kind. */
  readonly id: string;
  readonly actor: string;
  /** undefined for the end of a sleep. */
  readonly operation: Operation | undefined;
  /** How many turns had been taken when it was called. */
  readonly issuedAt: number;
}

interface Waiting extends Pending {
  ready: boolean;
  readonly go: () => void;
}

/** Microtask turns without any call or answer after which no promise can be on its way: see scheduler.test.ts. */
const idleTurns = 100;

/** Holds every operation of the doubles until it is told which one is next. */
export class Scheduler {
  readonly #waiting = new Map<string, Waiting>();
  readonly #occurrences = new Map<string, number>();
  readonly #dead = new Set<string>();
  readonly #clock: VirtualClock;
  #turns = 0;
  #activity = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** The gate's policy: an operation passes when it is released; those of a dead actor never do. */
  readonly policy = async (call: Call): Promise<Failure | undefined> => {
    const { operation, ready } = call;
    await this.#turn(operation.actor, printOperation(operation), operation, ready);
    return undefined;
  };

  /** A sleep of an actor; it ends when it is released, and the clock is then at least at its end. */
  async sleep(actor: string, milliseconds: number): Promise<void> {
    const until = this.#clock.now() + milliseconds;
    await this.#turn(actor, `sleep ${milliseconds}`, undefined, Promise.resolve());
    this.#clock.advance(until - this.#clock.now());
  }

  /** What can be released now, in the order of the calls. */
  get pending(): readonly Pending[] {
    return [...this.#waiting.values()].filter(({ ready }) => ready);
  }

  /** How many were released. */
  get turns(): number {
    return this.#turns;
  }

  release(id: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting?.ready !== true) throw new Error(`not pending: ${id}`);
    this.#waiting.delete(id);
    this.#turns += 1;
    this.#activity += 1;
    waiting.go();
  }

  /** From now on nothing that the actor calls has any effect. Of its pending operations `lost` ones never land. */
  kill(actor: string, lost: (pending: Pending) => boolean): void {
    this.#dead.add(actor);
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.actor === actor && lost(waiting)) this.#waiting.delete(waiting.id);
    }
  }

  /** To be called whenever an actor is answered: something moved. */
  moved(): void {
    this.#activity += 1;
  }

  /**
   * Resolves when nothing can happen any more without a release. `isWaiting` tells whether every actor is either
   * done or has something pending: then only promises can still be on their way, and a hundred idle microtask
   * turns see them through. Else a body or stream is being read, which takes the event loop.
   */
  async settle(isWaiting: () => boolean): Promise<void> {
    for (;;) {
      await this.#microtasks();
      if (isWaiting() && [...this.#waiting.values()].every(({ ready }) => ready)) return;
      const before = this.#activity;
      await nothingMoves();
      if (this.#activity === before) return;
    }
  }

  async #microtasks(): Promise<void> {
    let idle = 0;
    let before = this.#activity;
    while (idle < idleTurns) {
      await undefined;
      idle = this.#activity === before ? idle + 1 : 0;
      before = this.#activity;
    }
  }

  #turn(
    actor: string,
    label: string,
    operation: Operation | undefined,
    ready: Promise<unknown>,
  ): Promise<void> {
    if (this.#dead.has(actor)) return new Promise(() => undefined);
    const name = `${actor}: ${label}`;
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    const id = occurrence === 1 ? name : `${name} #${occurrence}`;
    this.#activity += 1;
    return new Promise((go) => {
      const waiting: Waiting = { id, actor, operation, issuedAt: this.#turns, ready: false, go };
      this.#waiting.set(id, waiting);
      ready.then(
        () => {
          waiting.ready = true;
          this.#activity += 1;
        },
        () => this.#waiting.delete(id),
      );
    });
  }
}
