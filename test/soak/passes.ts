import type { GcPolicy } from "../../src/maintenance/gc/collector.ts";
import type { GcReport } from "../../src/maintenance/gc/report.ts";
import type { GcStep } from "../../src/maintenance/gc/run.ts";
import type { GcState } from "../../src/maintenance/gc/state.ts";
import type { Span } from "./holdings.ts";

/** Runs passes, and sums up what they took. */
export class Passes {
  readonly taken: Record<string, number> = {};
  readonly notes = new Set<string>();
  /** Passes that had nothing to excuse, in the order of time. */
  readonly #whole: Span[] = [];
  count = 0;
  readonly #url: string;
  readonly #step: GcStep;

  constructor(origin: string, policy: GcPolicy) {
    this.#url = `${origin}/collect`;
    this.#step = { policy, operations: 900, every: 0 };
  }

  /** When the first whole pass ended that began after a time, if it has; Unix times in milliseconds. */
  endAfter(time: number): number | undefined {
    return this.#whole.find(({ began }) => began > time)?.ended;
  }

  async run(): Promise<void> {
    const began = Date.now();
    for (;;) {
      const response = await fetch(this.#url, { method: "POST", body: JSON.stringify(this.#step) });
      if (!response.ok) throw new Error(`a step failed: ${response.status} ${await response.text()}`);
      const { phase, report } = (await response.json()) as GcState;
      if (phase !== "done") continue;
      if (report.notes.length === 0) this.#whole.push({ began, ended: Date.now() });
      return this.#add(report);
    }
  }

  #add({ counts, notes }: GcReport): void {
    this.count++;
    for (const note of notes) this.notes.add(note);
    for (const [what, count] of Object.entries(counts)) this.taken[what] = (this.taken[what] ?? 0) + count;
  }
}
