import { settleBounded } from "../storage/bounded.ts";
import { OperationCounts } from "../storage/operation-counts.ts";
import type { Clock } from "../storage/ports.ts";

/** Thrown when a step has done its share: what is left to do is for the next one. */
export class TurnOver extends Error {}

/** What imports may use. */
export interface Allowance {
  /** Milliseconds after which a step begins nothing more. */
  readonly time: number;
  /**
   * Requests to upstreams after which an invocation of the Worker begins nothing more: each may be redirected, and the
   * first one may have to log in.
   */
  readonly requests: number;
  /** R2 and KV operations after which an invocation begins nothing more. */
  readonly operations: number;
}

/** What steps of one invocation of the Worker have used together: the platform counts by that. */
export class Usage {
  readonly operations = new OperationCounts();
  /** To upstreams. */
  requests = 0;

  isUp({ requests, operations }: Allowance): boolean {
    return this.requests >= requests || this.operations.total >= operations;
  }
}

/** Transfers at once: each has a connection to the upstream and one to R2, and Workers have six. */
const width = 3;

/** One step's share of the platform's limits. Whatever it has begun it brings to an end. */
export class Turn {
  readonly #clock: Clock;
  readonly #end: number;
  readonly #allowance: Allowance;
  readonly #usage: Usage;
  #mayEnd = false;
  #isStopped = false;

  constructor(clock: Clock, allowance: Allowance, usage: Usage) {
    this.#clock = clock;
    this.#end = clock.now() + allowance.time;
    this.#allowance = allowance;
    this.#usage = usage;
  }

  /** Nothing more is begun. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Told of each piece of work that is done: many need no request. */
  finished(): void {
    this.#mayEnd = true;
  }

  /**
   * Asked before each piece of work. Until a step has finished one, or asked the upstream, it is let through: the next
   * one would be no further.
   * @throws TurnOver
   */
  check(): void {
    if (this.#isStopped || (this.#mayEnd && this.#isOver)) throw new TurnOver();
  }

  /**
   * Does work that asks the upstream for something. A piece of work may need two or three such, and comes to its end.
   * @throws TurnOver once nothing more is to be begun at all.
   */
  async request<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isStopped) throw new TurnOver();
    this.#mayEnd = true;
    this.#usage.requests++;
    return work();
  }

  /** Does the work for each, some at once. What has begun ends before this does, whatever fails. */
  async each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
    const outcomes = await settleBounded(items, width, async (item) => {
      try {
        this.check();
        await work(item);
      } catch (error) {
        this.stop();
        throw error;
      }
    });
    const reasons = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    if (reasons.length > 0) throw reasons.find((reason) => !(reason instanceof TurnOver)) ?? reasons[0];
  }

  get #isOver(): boolean {
    return this.#usage.isUp(this.#allowance) || this.#clock.now() >= this.#end;
  }
}
