import type { Case } from "../cases.ts";
import type { Round } from "./round.ts";
import { median, shown } from "./statistics.ts";

/** What a registry did with a case. */
export interface Result {
  readonly registry: string;
  readonly rounds: readonly Round[];
  /** Why there is nothing more, if an operation failed. */
  readonly error?: string;
}

/** A case with the results of all registries, the first of which is compared with each of the others. */
export interface Comparison {
  readonly of: Case;
  readonly results: readonly Result[];
}

/** Medians over the rounds; times in milliseconds. */
export interface Summary {
  readonly perOperation: number;
  /** Fastest and slowest round. */
  readonly range: readonly [number, number];
  readonly latency: number;
  readonly cpu: number | undefined;
  readonly foreign: number;
}

export function summarize(rounds: readonly Round[]): Summary {
  const perOperation = rounds.map((round) => round.perOperation);
  const cpu = rounds.flatMap((round) => (round.cpu === undefined ? [] : [round.cpu]));
  return {
    perOperation: median(perOperation),
    range: [Math.min(...perOperation), Math.max(...perOperation)],
    latency: median(rounds.flatMap((round) => round.latencies)),
    cpu: cpu.length > 0 ? median(cpu) : undefined,
    foreign: median(rounds.map((round) => round.foreign)),
  };
}

/** How many times as long as the other one the first takes: below 1 it is faster. */
export function ratio(first: Result, other: Result): number {
  return summarize(first.rounds).perOperation / summarize(other.rounds).perOperation;
}

/** The comparisons as a Markdown table. */
export function table(comparisons: readonly Comparison[]): string {
  const names = comparisons[0]?.results.map(({ registry }) => registry) ?? [];
  const [, ...others] = names;
  const head = ["load", "at once", ...names, ...names.map((name) => `CPU, ${name}`), ...others.map(against)];
  const rows = comparisons.map(({ of, results }) => {
    const summaries = results.map(({ rounds }) => summarize(rounds));
    const [first, ...rest] = results;
    return [
      of.name,
      String(of.width),
      ...results.map((result, index) => time(result, summaries[index])),
      ...summaries.map(({ cpu }) => (cpu === undefined ? "" : shown(cpu))),
      ...rest.map((other) => (first === undefined ? "" : shown(ratio(first, other)))),
    ];
  });
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return lines.join("\n");
}

function against(name: string): string {
  return `time, as a multiple of ${name}'s`;
}

function time({ error }: Result, summary: Summary | undefined): string {
  if (error !== undefined || summary === undefined) return "failed";
  const { perOperation, range } = summary;
  return `${shown(perOperation)} (${shown(range[0])}–${shown(range[1])})`;
}
