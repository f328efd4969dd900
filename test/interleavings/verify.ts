import { printOperation } from "../doubles/operation.ts";
import type { Entry, Event, Outcome, Scenario } from "./execution.ts";
import { type Exploration, type ExploreOptions, explore } from "./explore.ts";
import { linearization, type Model } from "./linearizability.ts";

/** What is wrong with one run. */
export interface Violation {
  readonly reason: string;
  /** The turns of the run, one a line. */
  readonly trace: readonly string[];
  /** What every request asked and was answered. */
  readonly history: readonly string[];
}

export interface Verdict extends Exploration {
  /** Histories that differ in a question, an answer, or in what came before what. */
  readonly histories: number;
  readonly violations: number;
  /** A violation with the fewest turns. */
  readonly example: Violation | undefined;
}

export interface Checks<State, Question, Answer> {
  readonly model: Model<State, Question, Answer>;
  /** What must hold once all is quiet; each text is a complaint. */
  readonly invariants?: (outcome: Outcome<Question, Answer>) => readonly string[];
}

/** Explores a scenario and checks every outcome: nobody is stuck, the history is linearizable, invariants hold. */
export async function verify<State, Question, Answer>(
  scenario: Scenario<Question, Answer>,
  checks: Checks<State, Question, Answer>,
  options?: ExploreOptions,
): Promise<Verdict> {
  const judge = new Judge(checks);
  const exploration = await explore(scenario, (outcome) => judge.hear(outcome), options);
  return { ...exploration, ...judge.result };
}

/** Judges outcomes; equal histories are looked at once. */
export class Judge<State, Question, Answer> {
  readonly #checks: Checks<State, Question, Answer>;
  readonly #known = new Map<string, boolean>();
  #violations = 0;
  #example: Violation | undefined;

  constructor(checks: Checks<State, Question, Answer>) {
    this.#checks = checks;
  }

  hear(outcome: Outcome<Question, Answer>): void {
    const reasons = [
      ...outcome.stuck.map((actor) => `${actor} waits for nothing that can come`),
      ...(this.#isLinearizable(outcome.history) ? [] : ["no order of the requests explains the answers"]),
      ...(this.#checks.invariants?.(outcome) ?? []),
    ];
    if (reasons.length === 0) return;
    this.#violations += 1;
    if (this.#example !== undefined && this.#example.trace.length <= outcome.events.length) return;
    this.#example = {
      reason: reasons.join("; "),
      trace: outcome.events.map(printEvent),
      history: outcome.history.map(printEntry),
    };
  }

  get result(): Pick<Verdict, "histories" | "violations" | "example"> {
    return { histories: this.#known.size, violations: this.#violations, example: this.#example };
  }

  #isLinearizable(history: readonly Entry<Question, Answer>[]): boolean {
    const key = JSON.stringify([history, precedence(history)], (name, value: unknown) =>
      name === "invoked" || name === "returned" ? undefined : value,
    );
    const known = this.#known.get(key) ?? linearization(this.#checks.model, history) !== undefined;
    this.#known.set(key, known);
    return known;
  }
}

/** For each request which others were answered before it began. */
function precedence(history: readonly Entry<unknown, unknown>[]): readonly (readonly number[])[] {
  return history.map(({ invoked }) =>
    history.flatMap(({ returned }, index) => (returned !== undefined && returned <= invoked ? [index] : [])),
  );
}

function printEvent({ actor, operation, begins, answers, changed }: Event): string {
  const what = operation === undefined ? "wakes up" : printOperation(operation);
  const refused = operation?.kind === "put" && !changed ? ", refused" : "";
  return `${actor}${begins ? " begins" : ""}: ${what}${refused}${answers ? ", answered" : ""}`;
}

function printEntry({ client, question, answer, invoked, returned }: Entry<unknown, unknown>): string {
  const said = returned === undefined ? "no answer" : JSON.stringify(answer);
  return `${client} [${invoked}, ${returned ?? "-"}] ${JSON.stringify(question)} -> ${said}`;
}
