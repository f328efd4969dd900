import { printOperation } from "../doubles/operation.ts";
import type { Crash, Entry, Event, Outcome, Scenario } from "./execution.ts";
import { type Exploration, type ExploreOptions, explore } from "./explore.ts";

/** What is wrong with one run. */
export interface Violation {
  /** How a request died, if one did. */
  readonly crash: Crash | undefined;
  readonly reasons: readonly string[];
  /** The turns of the run, one a line. */
  readonly trace: readonly string[];
  /** What every request asked and was answered. */
  readonly history: readonly string[];
}

export interface Findings {
  readonly runs: number;
  /** Histories that differ in a question, an answer, or in what came before what. */
  readonly histories: number;
  readonly violations: number;
  /** Everything that was complained of, once each. */
  readonly complaints: ReadonlySet<string>;
  /** A violation with the fewest turns. */
  readonly example: Violation | undefined;
}

export interface Checks<Question, Answer> {
  /** What is wrong with the answers, given what came before what; asked once for equal histories. */
  readonly history: (history: readonly Entry<Question, Answer>[]) => readonly string[];
  /** What is wrong with what is left once all is quiet. */
  readonly outcome?: (outcome: Outcome<Question, Answer>) => readonly string[];
}

/** Explores a scenario and checks every outcome. */
export async function verify<Question, Answer>(
  scenario: Scenario<Question, Answer>,
  checks: Checks<Question, Answer>,
  options?: ExploreOptions,
): Promise<Exploration & Findings> {
  const judge = new Judge(checks);
  const exploration = await explore(scenario, (outcome) => judge.hear(outcome), options);
  return { ...exploration, ...judge.findings };
}

/** Hears outcomes one by one. */
export class Judge<Question, Answer> {
  readonly #checks: Checks<Question, Answer>;
  readonly #known = new Map<string, readonly string[]>();
  #runs = 0;
  readonly #complaints = new Set<string>();
  #violations = 0;
  #example: Violation | undefined;

  constructor(checks: Checks<Question, Answer>) {
    this.#checks = checks;
  }

  hear(outcome: Outcome<Question, Answer>): void {
    this.#runs += 1;
    const reasons = [
      ...outcome.stuck.map((actor) => `${actor} waits for nothing that can come`),
      ...this.#ofHistory(outcome.history),
      ...(this.#checks.outcome?.(outcome) ?? []),
    ];
    if (reasons.length === 0) return;
    this.#violations += 1;
    for (const reason of reasons) this.#complaints.add(reason);
    if (this.#example !== undefined && this.#example.trace.length <= outcome.events.length) return;
    this.#example = {
      crash: outcome.crash,
      reasons,
      trace: outcome.events.map(printEvent),
      history: outcome.history.map(printEntry),
    };
  }

  get findings(): Findings {
    return {
      runs: this.#runs,
      histories: this.#known.size,
      violations: this.#violations,
      complaints: this.#complaints,
      example: this.#example,
    };
  }

  #ofHistory(history: readonly Entry<Question, Answer>[]): readonly string[] {
    const key = JSON.stringify([
      history.map(({ client, answer, returned }) => [client, answer, returned === undefined]),
      precedence(history),
    ]);
    const known = this.#known.get(key) ?? this.#checks.history(history);
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
