import { type Failure, type Gate, immediate, type Policy } from "./gate.ts";
import { type Operation, printOperation } from "./operation.ts";
import { r2Error } from "./r2-error.ts";

/** Which operations fail, and how. */
export interface Fault {
  /** The operation with this number, from 0, counted since the policy was made. Absent: every matching one. */
  readonly at?: number;
  /** Every operation from this number on. */
  readonly from?: number;
  readonly matching?: (operation: Operation) => boolean;
  /** Before it took effect, or after it, with the answer lost. */
  readonly when: Failure["when"];
  /** How many operations fail before the fault is over. Unbounded by default. */
  readonly times?: number;
  /** The error; by default an internal error of the operation's store. */
  readonly error?: (operation: Operation) => Error;
}

/** A policy under which the operations that a fault names fail; the others, and their time, are up to `next`. */
export function faults(list: readonly Fault[], next: Policy = immediate): Policy {
  const left = list.map((fault) => ({ fault, times: fault.times ?? Number.POSITIVE_INFINITY }));
  let count = 0;
  return async (call) => {
    const number = count;
    count += 1;
    const hit = left.find(
      ({ fault, times }) =>
        times > 0 &&
        (fault.at === undefined || fault.at === number) &&
        (fault.from === undefined || fault.from <= number) &&
        (fault.matching === undefined || fault.matching(call.operation)),
    );
    if (hit !== undefined) hit.times -= 1;
    const failure = await next(call);
    if (failure !== undefined || hit === undefined) return failure;
    const error = hit.fault.error?.(call.operation) ?? internalError(call.operation);
    return { when: hit.fault.when, error };
  };
}

/** What R2, KV or the cache says when it fails on its own. */
export function internalError(operation: Operation): Error {
  if (operation.store === "cache") return new Error("internal error");
  return operation.store === "R2"
    ? r2Error(operation.kind, 10001)
    : new Error(`KV ${operation.kind.toUpperCase()} failed: 500 Internal Server Error`);
}

/** One run of `everyFault`. */
export interface FaultRun<W, R> {
  readonly world: W;
  /** The number of the operation that failed, from 0, and what it was. */
  readonly index: number;
  readonly operation: string;
  readonly when: Failure["when"];
  readonly outcome: PromiseSettledResult<R>;
}

/**
 * Runs a flow once to count its operations, then once for each of them and for both kinds of failure, every time
 * in a fresh world, and hands each run to `check` (with the gate open again). Resolves to the number of runs.
 */
export async function everyFault<W extends { readonly gate: Gate }, R>(options: {
  readonly prepare: () => W | Promise<W>;
  readonly flow: (world: W) => Promise<R>;
  readonly check: (run: FaultRun<W, R>) => void | Promise<void>;
  /** Whether all operations after the failed one fail too, as when who asks for them dies. */
  readonly dies?: boolean;
  /** Which operations fail; all of them unless given. */
  readonly matching?: (operation: Operation) => boolean;
}): Promise<number> {
  const first = await options.prepare();
  const before = first.gate.trace.length;
  await options.flow(first);
  const operations = first.gate.trace.slice(before);
  let runs = 0;
  for (const [index, operation] of operations.entries()) {
    if (options.matching?.(operation) === false) continue;
    for (const when of ["before", "after"] as const) {
      const world = await options.prepare();
      const rest: readonly Fault[] = options.dies ? [{ from: index + 1, when: "before" }] : [];
      world.gate.policy = faults([{ at: index, when }, ...rest]);
      const [outcome] = await Promise.allSettled([options.flow(world)]);
      world.gate.policy = immediate;
      await options.check({ world, index, operation: printOperation(operation), when, outcome });
      runs += 1;
    }
  }
  return runs;
}
