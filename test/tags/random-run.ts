import { internalError } from "../doubles/faults.ts";
import type { Failure, Policy } from "../doubles/gate.ts";
import { nothingMoves } from "../doubles/rounds.ts";
import { generator } from "../interleavings/randomness.ts";
import type { TestRegistry } from "../support/registry.ts";

/** Draws from a seed. */
export interface Dice {
  /** A number in [0, 1). */
  readonly roll: () => number;
  pick<Item>(items: readonly Item[]): Item;
}

export function dice(seed: string): Dice {
  const roll = generator(seed);
  return {
    roll,
    pick(items) {
      const item = items[Math.floor(roll() * items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}

/** Who sends one request after another, as long as the run goes on. */
export interface Actor {
  readonly name: string;
  /** Sends a request; the run begins another one when it has ended. */
  send(): Promise<void>;
}

export interface RandomRun {
  readonly world: TestRegistry;
  readonly dice: Dice;
  readonly actors: readonly Actor[];
  /** How many requests are sent in all. */
  readonly requests: number;
  /** How likely an operation of KV fails. */
  readonly kvFailures: number;
  /** Called after each step, when nothing moves. */
  readonly observe: () => void;
}

/**
 * Runs requests of many actors beside each other: every operation waits until the dice let it take effect, and the
 * clock jumps between operations, by up to a minute and a half and now and then by hours.
 */
export async function runAtRandom(run: RandomRun): Promise<void> {
  const {
    world,
    dice: { roll, pick },
    actors,
    observe,
  } = run;
  const waiting: (() => void)[] = [];
  const busy = new Set<Actor>();
  const failures: unknown[] = [];
  let left = run.requests;
  const policy: Policy = async ({ operation, ready }): Promise<Failure | undefined> => {
    await ready;
    await new Promise<void>((go) => waiting.push(go));
    if (operation.store === "KV" && roll() < run.kvFailures) {
      return { when: pick(["before", "after"]), error: internalError(operation) };
    }
    return undefined;
  };
  world.gate.policy = policy;
  while (left > 0 || busy.size > 0) {
    await nothingMoves();
    observe();
    if (failures.length > 0) throw failures[0];
    const idle = actors.filter((actor) => !busy.has(actor));
    if (left > 0 && idle.length > 0 && (waiting.length === 0 || roll() < 0.15)) {
      const actor = pick(idle);
      left -= 1;
      busy.add(actor);
      actor
        .send()
        .catch((error: unknown) => failures.push(error))
        .finally(() => busy.delete(actor));
      continue;
    }
    if (roll() < 0.05) world.clock.advance(roll() * 90_000);
    if (roll() < 0.002) world.clock.advance(roll() * 7_200_000);
    const [go] = waiting.splice(Math.floor(roll() * waiting.length), 1);
    go?.();
  }
  world.gate.policy = () => undefined;
}
