import type { Entry } from "./execution.ts";

/** A sequential object: what it may answer, and what becomes of it. */
export interface Model<State, Question, Answer> {
  readonly initial: State;
  /**
   * The states after `question` was answered so; none if it cannot be answered so in this state. For an
   * undefined answer, of a request that died, every state to which it may lead.
   */
  readonly next: (state: State, question: Question, answer: Answer | undefined) => readonly State[];
  /** Two states with one key are the same. */
  readonly key: (state: State) => string;
}

/**
 * Whether some order of the requests explains all answers, with a request before another one if it was answered
 * before the other began (Wing and Gong, "Testing and Verifying Concurrent Objects", 1993, with a memo of
 * visited configurations as by Lowe). A request that was never answered may have happened at any time, or never.
 * Returns that order as indices into the history, or undefined.
 */
export function linearization<State, Question, Answer>(
  model: Model<State, Question, Answer>,
  history: readonly Entry<Question, Answer>[],
): readonly number[] | undefined {
  const seen = new Set<string>();
  const order: number[] = [];
  const isAnswered = (entry: Entry<Question, Answer>) => entry.returned !== undefined;

  const search = (state: State, left: ReadonlySet<number>): boolean => {
    const entries = [...left].map((index) => [index, history[index] as Entry<Question, Answer>] as const);
    const answered = entries.filter(([, entry]) => isAnswered(entry));
    if (answered.length === 0) return true;
    const configuration = `${[...left].join(",")} ${model.key(state)}`;
    if (seen.has(configuration)) return false;
    seen.add(configuration);
    const firstReturn = Math.min(...answered.map(([, entry]) => entry.returned as number));
    for (const [index, entry] of entries) {
      // A request begins with a turn and ends after one: the turn after an answer comes after it.
      if (entry.invoked >= firstReturn && entry.returned !== firstReturn) continue;
      const rest = new Set(left);
      rest.delete(index);
      order.push(index);
      for (const next of model.next(state, entry.question, entry.answer)) {
        if (search(next, rest)) return true;
      }
      order.pop();
    }
    return false;
  };

  return search(model.initial, new Set(history.keys())) ? order : undefined;
}

/** A complaint unless some sequential order explains the answers. */
export function unexplained<State, Question, Answer>(
  name: string,
  model: Model<State, Question, Answer>,
  history: readonly Entry<Question, Answer>[],
): readonly string[] {
  return linearization(model, history) === undefined ? [`no order of the requests explains ${name}`] : [];
}
