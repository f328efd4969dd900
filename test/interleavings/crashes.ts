import type { Crash, Outcome, Scenario } from "./execution.ts";
import { explore } from "./explore.ts";
import { sample } from "./sample.ts";
import { type Checks, type Findings, Judge } from "./verify.ts";

export interface CrashFindings extends Findings {
  /** Points at which a request died: after which operation, and which of its writes in flight were lost. */
  readonly points: number;
  /** Points of which only some orders were run. */
  readonly sampled: number;
}

export interface CrashOptions {
  /** Runs of one point, after which the rest is sampled. */
  readonly limit: number;
  /** Runs drawn at random where the limit was too low. */
  readonly samples: number;
  /** Ends the search once it says so of what one point has shown. */
  readonly until?: (findings: Findings) => boolean;
}

/**
 * Lets the first request of each client die after each of its operations. Of the writes that are in flight then
 * every subset is lost, and the rest may land at any later time; and then the client sends the request again, or
 * does not. After that the orders of all requests are explored as usual.
 */
export async function verifyCrashes<Question, Answer>(
  scenario: Scenario<Question, Answer>,
  checks: (crash: Crash) => Checks<Question, Answer>,
  options: CrashOptions,
): Promise<CrashFindings> {
  const points: PointFindings[] = [];
  for (const crash of await deaths(scenario, options.limit)) {
    // Which writes are in flight is known only once a run got there: then the subsets of them are gone through.
    for (let subset = 0, inFlight = 0; subset < 2 ** inFlight; subset++) {
      const point = { ...crash, lost: bits(subset) };
      const found = await atPoint({ ...scenario, crash: point }, checks(point), options);
      inFlight = Math.max(inFlight, found.inFlight);
      points.push(found);
      if (options.until?.(found) === true) return sum(points);
    }
  }
  return sum(points);
}

interface PointFindings extends Findings {
  readonly inFlight: number;
  readonly complete: boolean;
}

async function atPoint<Question, Answer>(
  scenario: Scenario<Question, Answer>,
  checks: Checks<Question, Answer>,
  { limit, samples }: CrashOptions,
): Promise<PointFindings> {
  const judge = new Judge(checks);
  let inFlight = 0;
  const hear = (outcome: Outcome<Question, Answer>) => {
    inFlight = Math.max(inFlight, outcome.inFlightAtCrash ?? 0);
    judge.hear(outcome);
  };
  const { complete } = await explore(scenario, hear, { limit });
  if (!complete) await sample(scenario, hear, { runs: samples, seed: JSON.stringify(scenario.crash) });
  return { ...judge.findings, inFlight, complete };
}

function sum(points: readonly PointFindings[]): CrashFindings {
  const total = (of: (point: PointFindings) => number) => points.reduce((all, point) => all + of(point), 0);
  return {
    runs: total(({ runs }) => runs),
    histories: total(({ histories }) => histories),
    violations: total(({ violations }) => violations),
    complaints: new Set(points.flatMap(({ complaints }) => [...complaints])),
    example: points.find(({ example }) => example !== undefined)?.example,
    points: points.length,
    sampled: points.filter(({ complete }) => !complete).length,
  };
}

/** Each operation of each client's first request as the last one that is answered, with and without a retry. */
async function deaths<Question, Answer>(
  scenario: Scenario<Question, Answer>,
  limit: number,
): Promise<readonly Omit<Crash, "lost">[]> {
  const most = new Map<string, number>();
  const hear = ({ events }: Outcome<Question, Answer>) => {
    for (const { name, requests } of scenario.clients) {
      const first = requests.length === 1 ? name : `${name}1`;
      const count = events.filter(({ actor }) => actor === first).length;
      most.set(name, Math.max(most.get(name) ?? 0, count));
    }
  };
  await explore(scenario, hear, { limit });
  return [...most].flatMap(([client, turns]) =>
    [false, true].flatMap((retry) => Array.from({ length: turns }, (_, after) => ({ client, after, retry }))),
  );
}

function bits(set: number): readonly number[] {
  return [...set.toString(2)].reverse().flatMap((bit, index) => (bit === "1" ? [index] : []));
}
