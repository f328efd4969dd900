import type { Call, Gate, Policy } from "./gate.ts";
import { operationClass, printOperation, type Store } from "./operation.ts";

/** What a run cost. */
export interface Summary {
  /** Every operation in the order of the calls, as `printOperation` writes it. */
  readonly operations: readonly string[];
  /** R2 operations of class A (writes and lists) and B (reads). */
  readonly A: number;
  readonly B: number;
  /** KV operations. */
  readonly kv: number;
  /** Operations of the data centre's cache. */
  readonly cache: number;
  /** Serial rounds: how many answers the run had to wait for, one after the other. */
  readonly rounds: number;
  /** The most operations that one actor had called and not yet been answered. */
  readonly maxInFlight: number;
}

/** What Workers allow one request to have in flight: a seventh operation waits for an answer to another one. */
const platformLimit = 6;

/**
 * A network on which every operation takes one tick of virtual time: all that are in flight when nothing more
 * can happen without an answer are answered together, six for each actor.
 */
export class Rounds {
  readonly policy: Policy = (call) => this.#admit(call);
  /** Ticks in which something was answered. */
  rounds = 0;
  maxInFlight = 0;
  readonly #inFlight = new Map<string, number>();
  #waiting: { readonly actor: string; readonly answer: () => void }[] = [];
  #ticking = false;

  async #admit({ operation, ready }: Call): Promise<undefined> {
    const { actor } = operation;
    this.#count(actor, 1);
    try {
      await ready;
      await new Promise<void>((answer) => {
        this.#waiting.push({ actor, answer });
        if (!this.#ticking) void this.#tick();
      });
    } finally {
      this.#count(actor, -1);
    }
  }

  #count(actor: string, change: 1 | -1): void {
    const count = (this.#inFlight.get(actor) ?? 0) + change;
    this.#inFlight.set(actor, count);
    this.maxInFlight = Math.max(this.maxInFlight, count);
  }

  async #tick(): Promise<void> {
    this.#ticking = true;
    while (this.#waiting.length > 0) {
      await nothingMoves();
      const answered = new Map<string, number>();
      const due = this.#waiting.filter(({ actor }) => {
        const before = answered.get(actor) ?? 0;
        answered.set(actor, before + 1);
        return before < platformLimit;
      });
      this.#waiting = this.#waiting.filter((waiting) => !due.includes(waiting));
      this.rounds += 1;
      for (const { answer } of due) answer();
      await nothingMoves();
    }
    this.#ticking = false;
  }
}

/**
 * Resolves when everything in this process waits: workerd runs a timer of 0 ms only once no promise, stream or
 * digest can get any further. (Node's timers promise less: there a digest may still be under way.)
 */
export function nothingMoves(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Runs `run` on a network of rounds and sums up the operations that passed the gate meanwhile. */
export async function counted<T>(
  gate: Gate,
  run: (network: Rounds) => Promise<T>,
): Promise<Summary & { readonly result: T }> {
  const network = new Rounds();
  const { policy } = gate;
  const first = gate.trace.length;
  gate.policy = network.policy;
  try {
    const result = await run(network);
    const operations = gate.trace.slice(first);
    const of = (store: Store) => operations.filter((operation) => operation.store === store);
    const r2 = of("R2");
    return {
      result,
      operations: operations.map(printOperation),
      A: r2.filter((operation) => operationClass(operation) === "A").length,
      B: r2.filter((operation) => operationClass(operation) === "B").length,
      kv: of("KV").length,
      cache: of("cache").length,
      rounds: network.rounds,
      maxInFlight: network.maxInFlight,
    };
  } finally {
    gate.policy = policy;
  }
}
