import type { Operation } from "./operation.ts";

/** All that an operation does to its store, at once and atomically; returns its answer or throws the store's error. */
export type Effect<T> = () => T;

/** An operation that was called and has not been answered. */
export interface Call {
  readonly operation: Operation;
  /** Operations of this gate that were called earlier. */
  readonly sequence: number;
  /** Resolves when the body was read: from then on the operation can take effect. Rejects if the body broke. */
  readonly ready: Promise<unknown>;
}

/** An operation that fails without the store's doing: before it took effect, or after it, with the answer lost. */
export interface Failure {
  readonly when: "before" | "after";
  readonly error: Error;
}

/** Decides when an operation takes effect (once the promise resolves) and whether it fails. */
export type Policy = (call: Call) => Promise<Failure | undefined> | Failure | undefined;

/** Every operation takes effect as soon as its body was read. */
export const immediate: Policy = () => undefined;

/** The one way into the doubles: records every operation and lets the policy of the moment decide its fate. */
export class Gate {
  /** Every operation in the order of the calls. */
  readonly trace: Operation[] = [];
  policy: Policy;

  constructor(policy: Policy = immediate) {
    this.policy = policy;
  }

  /**
   * Lets an operation through: `effect` is applied when the policy says so.
   * @throws what the effect throws, what reading the body threw, or the failure that the policy chose.
   */
  async pass<T>(operation: Operation, effect: Effect<T> | Promise<Effect<T>>): Promise<T> {
    const sequence = this.trace.push(operation) - 1;
    const ready = Promise.resolve(effect);
    const [apply, failure] = await Promise.all([ready, this.policy({ operation, sequence, ready })]);
    if (failure?.when === "before") throw failure.error;
    const answer = apply();
    if (failure?.when === "after") throw failure.error;
    return answer;
  }
}
