import type { Call, Gate, Policy } from "../test/doubles/gate.ts";

/** Operations that one client has in flight at most, as on Workers. */
const inFlight = 6;

/**
 * A network on which every operation is answered one tick after it was sent: the number of ticks is the number of
 * answers that had to be waited for, one after the other.
 */
class Ticks {
  ticks = 0;
  #waiting: (() => void)[] = [];
  #ticking = false;
  readonly policy: Policy = async ({ ready }: Call) => {
    await ready;
    await new Promise<void>((answer) => {
      this.#waiting.push(answer);
      if (!this.#ticking) void this.#tick();
    });
    return undefined;
  };

  async #tick(): Promise<void> {
    this.#ticking = true;
    while (this.#waiting.length > 0) {
      await nothingMoves();
      const due = this.#waiting.splice(0, inFlight);
      this.ticks++;
      for (const answer of due) answer();
      await nothingMoves();
    }
    this.#ticking = false;
  }
}

/** What a run cost. */
export interface Cost<Result> {
  readonly ticks: number;
  readonly operations: number;
  readonly result: Result;
}

/** Runs `run` on a network of ticks. It must wait for nothing but the stores behind the gate. */
export async function ticked<Result>(gate: Gate, run: () => Promise<Result>): Promise<Cost<Result>> {
  const network = new Ticks();
  const { policy } = gate;
  const first = gate.trace.length;
  gate.policy = network.policy;
  try {
    const result = await run();
    return { ticks: network.ticks, operations: gate.trace.length - first, result };
  } finally {
    gate.policy = policy;
    gate.trace.length = first;
  }
}

/** Enough turns of the loop that promises and the streams of bodies at hand have got as far as they can. */
async function nothingMoves(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
