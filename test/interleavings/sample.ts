import { Execution, type Outcome, type Scenario } from "./execution.ts";
import { generator } from "./randomness.ts";
import type { Pending } from "./scheduler.ts";

export interface SampleOptions {
  readonly runs: number;
  readonly seed: string;
  /** Whether something may come next, given all that is pending; everything may unless given. */
  readonly mayComeNext?: (next: Pending, pending: readonly Pending[]) => boolean;
}

/**
 * Runs a scenario `runs` times in orders drawn at random, the same for the same seed. Half of the runs choose
 * anew at each turn; the other half rank the actors, change one rank now and then, and let the highest go on:
 * few switches, which find what needs one actor to be far behind (as in Burckhardt et al., "A Randomized
 * Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).
 */
export async function sample<Question, Answer>(
  scenario: Scenario<Question, Answer>,
  check: (outcome: Outcome<Question, Answer>) => void,
  options: SampleOptions,
): Promise<void> {
  for (let run = 0; run < options.runs; run++) {
    const random = generator(`${options.seed} ${run}`);
    const choose = run % 2 === 0 ? uniform(random) : byRank(random);
    const { mayComeNext = () => true } = options;
    const execution = await Execution.begin(scenario);
    for (let { pending } = execution; pending.length > 0; { pending } = execution) {
      const all = pending;
      const candidates = all.filter((next) => mayComeNext(next, all));
      const index = choose(candidates.map(({ actor }) => actor));
      await execution.release(candidates[index] as Pending);
    }
    check(await execution.finish());
  }
}

type Choose = (actors: readonly string[]) => number;

function uniform(random: () => number): Choose {
  return (actors) => Math.floor(random() * actors.length);
}

function byRank(random: () => number): Choose {
  const ranks = new Map<string, number>();
  const rank = (actor: string) => {
    const known = ranks.get(actor) ?? random();
    ranks.set(actor, known);
    return known;
  };
  return (actors) => {
    const [first = 0] = actors
      .map((_, index) => index)
      .toSorted((a, b) => rank(actors[b] ?? "") - rank(actors[a] ?? ""));
    if (random() < 0.15) ranks.set(actors[first] ?? "", random() / 2);
    return first;
  };
}
