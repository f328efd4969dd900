import { cpuSeconds, machineSeconds } from "./usage.ts";

/** One operation that can be timed: what it needs was prepared before. */
export type Operation = () => Promise<unknown>;

export interface Round {
  /** Milliseconds of the whole round, divided by its operations. */
  readonly perOperation: number;
  /** Milliseconds from the beginning of an operation to its end, for each. */
  readonly latencies: readonly number[];
  /** Milliseconds of CPU that the server used for an operation; undefined for a server elsewhere. */
  readonly cpu: number | undefined;
  /** How much of this machine's CPU others used meanwhile: 0 to 1. */
  readonly foreign: number;
}

/**
 * Runs operations, `width` of them at once, until all are done or the time is up.
 * @param server process id of a server on this machine.
 * @param seconds no operation begins after that.
 */
export async function runRound(
  operations: readonly Operation[],
  width: number,
  seconds: number,
  server: number | undefined,
): Promise<Round> {
  const before = usage(server);
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  let next = 0;
  const work = async () => {
    for (let operation = operations[next++]; operation !== undefined; operation = operations[next++]) {
      const began = performance.now();
      if (began > end) return;
      await operation();
      latencies.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  const elapsed = performance.now() - start;
  const after = usage(server);
  const others = after.machine.busy - before.machine.busy - (after.ours - before.ours);
  return {
    perOperation: elapsed / latencies.length,
    latencies,
    cpu: server === undefined ? undefined : ((after.server - before.server) * 1000) / latencies.length,
    foreign: Math.max(0, others) / Math.max(0.001, after.machine.all - before.machine.all),
  };
}

function usage(server: number | undefined) {
  return {
    machine: machineSeconds(),
    // The servers of this machine are our children.
    ours: cpuSeconds(process.pid),
    server: server === undefined ? 0 : cpuSeconds(server),
  };
}
