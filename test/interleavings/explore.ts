import { causes, dependent } from "./dependence.ts";
import { type Event, Execution, type Outcome, type Scenario } from "./execution.ts";

export interface Exploration {
  /** Runs to the end, no two of which differ only in the order of turns that commute. */
  readonly orders: number;
  /** Runs given up because they could only repeat another one (sleep sets). */
  readonly pruned: number;
  /** The most turns of one run. */
  readonly turns: number;
  /** The decimal logarithm of the number of orders of the longest run's operations without any reduction. */
  readonly unreduced: number;
  /** False if `limit` ended the exploration. */
  readonly complete: boolean;
}

/** A point of the present run: what was pending there, what was chosen, and what is still to be tried. */
interface Choice {
  readonly enabled: string;
  chosen: string;
  event: Event;
  /** To be tried: always contains `chosen`. */
  readonly backtrack: Set<string>;
  /** Tried before, or brought along from an earlier point; each would only repeat an explored order. */
  readonly asleep: Map<string, Event>;
}

export interface ExploreOptions {
  /** Ends the exploration after that many runs. */
  readonly limit?: number;
  /** Ends the exploration once it says so. */
  readonly until?: () => boolean;
  /** False: every order, commuting turns or not. For small cases, to check the reduction itself. */
  readonly reduce?: boolean;
}

/**
 * Runs a scenario in every order, up to turns that commute: dynamic partial order reduction with source sets
 * and sleep sets (Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014),
 * where each pending operation is a process of one step. An application cannot be put back to an earlier state,
 * so that each order is a run from the start.
 * @param check is given the outcome of each order.
 */
export async function explore<Question, Answer>(
  scenario: Scenario<Question, Answer>,
  check: (outcome: Outcome<Question, Answer>) => void,
  options: ExploreOptions = {},
): Promise<Exploration> {
  const { limit = Number.POSITIVE_INFINITY, until = () => false, reduce = true } = options;
  const path: Choice[] = [];
  let orders = 0;
  let pruned = 0;
  let turns = 0;
  let unreduced = 0;
  do {
    if (orders + pruned >= limit || until()) return { orders, pruned, turns, unreduced, complete: false };
    // The last choice of the path is a new one, like all that follow it.
    const firstNew = Math.max(0, path.length - 1);
    const execution = await Execution.begin(scenario);
    for (const choice of path) await replay(execution, choice);
    const finished = await extend(execution, path, reduce);
    if (reduce) planReversals(path, firstNew);
    if (finished) {
      orders += 1;
      turns = Math.max(turns, path.length);
      unreduced = Math.max(unreduced, logOrders(path.map((choice) => choice.event)));
      check(await execution.finish());
    } else {
      pruned += 1;
    }
  } while (next(path));
  return { orders, pruned, turns, unreduced, complete: true };
}

async function replay<Question, Answer>(
  execution: Execution<Question, Answer>,
  choice: Choice,
): Promise<void> {
  const { pending } = execution;
  const chosen = pending.find(({ id }) => id === choice.chosen);
  if (chosen === undefined || namesOf(pending) !== choice.enabled) {
    throw new Error(
      `a run took another course than before: pending is ${namesOf(pending)}, was ${choice.enabled}`,
    );
  }
  choice.event = await execution.release(chosen);
}

/** Goes on to the end. Returns false if all that is pending is asleep: the rest would repeat an explored order. */
async function extend<Question, Answer>(
  execution: Execution<Question, Answer>,
  path: Choice[],
  reduce: boolean,
): Promise<boolean> {
  for (;;) {
    const { pending } = execution;
    if (pending.length === 0) return true;
    const asleep = reduce ? stillAsleep(path.at(-1)) : new Map<string, Event>();
    const chosen = pending.find(({ id }) => !asleep.has(id));
    if (chosen === undefined) return false;
    const enabled = namesOf(pending);
    const event = await execution.release(chosen);
    const backtrack = new Set(reduce ? [chosen.id] : pending.map(({ id }) => id));
    path.push({ enabled, chosen: chosen.id, event, backtrack, asleep });
  }
}

function namesOf(pending: readonly { readonly id: string }[]): string {
  return pending.map(({ id }) => id).join(" | ");
}

/** What stays asleep after a turn: what commutes with it. */
function stillAsleep(choice: Choice | undefined): Map<string, Event> {
  const entries = choice === undefined ? [] : [...choice.asleep];
  return new Map(entries.filter(([, event]) => choice !== undefined && !dependent(event, choice.event)));
}

/**
 * Finds the races of a run, pairs of turns that depend on each other and could come the other way round, and
 * marks for each a choice that leads to the reversal.
 */
function planReversals(path: readonly Choice[], from: number): void {
  const before = happensBefore(path.map((choice) => choice.event));
  for (let later = from; later < path.length; later++) {
    for (const earlier of before.races[later] ?? []) {
      const first = firstOfReversal(path, before.sets, earlier, later);
      const { backtrack } = path[earlier] as Choice;
      if (!first.some((id) => backtrack.has(id))) backtrack.add(first[0] as string);
    }
  }
}

interface HappensBefore {
  /** For each turn the turns that must come before it, as a bit set. */
  readonly sets: readonly bigint[];
  /** For each turn the earlier ones with which it races. */
  readonly races: readonly (readonly number[])[];
}

function happensBefore(events: readonly Event[]): HappensBefore {
  const sets: bigint[] = [];
  const races: number[][] = [];
  for (const [later, event] of events.entries()) {
    let set = 0n;
    const racing: number[] = [];
    for (let earlier = later - 1; earlier >= 0; earlier--) {
      if ((set >> BigInt(earlier)) & 1n) continue;
      const other = events[earlier] as Event;
      const caused = causes(other, earlier, event);
      if (!caused && !dependent(other, event)) continue;
      if (!caused) racing.push(earlier);
      set |= (sets[earlier] as bigint) | (1n << BigInt(earlier));
    }
    sets.push(set);
    races.push(racing);
  }
  return { sets, races };
}

/**
 * The turns with which a run can begin that has the same past as `earlier` and takes `later`, and what led to
 * it, without it: those of them that come after none of the others. The last one, if it is `later` itself, leads.
 */
function firstOfReversal(
  path: readonly Choice[],
  sets: readonly bigint[],
  earlier: number,
  later: number,
): readonly string[] {
  let members = 0n;
  const first: string[] = [];
  for (let turn = earlier + 1; turn <= later; turn++) {
    const set = sets[turn] as bigint;
    if (turn < later && (set >> BigInt(earlier)) & 1n) continue;
    if ((set & members) === 0n) first.unshift((path[turn] as Choice).chosen);
    members |= 1n << BigInt(turn);
  }
  return first;
}

/** Drops the end of the path up to the last point where something is left to try, and chooses it there. */
function next(path: Choice[]): boolean {
  for (let choice = path.at(-1); choice !== undefined; choice = path.at(-1)) {
    choice.asleep.set(choice.chosen, choice.event);
    const { asleep, backtrack } = choice;
    const candidate = [...backtrack].find((id) => !asleep.has(id));
    if (candidate !== undefined) {
      choice.chosen = candidate;
      return true;
    }
    path.pop();
  }
  return false;
}

/** log10 of the multinomial coefficient: ways to merge the sequences of the actors. */
function logOrders(events: readonly Event[]): number {
  const counts = new Map<string, number>();
  for (const { actor } of events) counts.set(actor, (counts.get(actor) ?? 0) + 1);
  const logFactorial = (n: number) => {
    let sum = 0;
    for (let i = 2; i <= n; i++) sum += Math.log10(i);
    return sum;
  };
  return [...counts.values()].reduce((sum, count) => sum - logFactorial(count), logFactorial(events.length));
}
