import type { Feature } from "./client.ts";

export type Outcome = "ok" | "FAIL" | "skip";

export interface Result {
  readonly client: string;
  readonly feature: Feature;
  readonly outcome: Outcome;
  /** Why it failed or was skipped. */
  readonly reason?: string;
}

/** Prints a line for each check as it ends, and counts. */
export class Report {
  readonly results: Result[] = [];
  /** The version of each client that could be started, by its name. */
  readonly versions = new Map<string, string>();
  #aborted = 0;

  add(result: Result, seconds: number): void {
    this.results.push(result);
    const { client, feature, outcome, reason } = result;
    const note = reason === undefined ? `${seconds.toFixed(1)} s` : `(${reason.replaceAll(/\s+/g, " ")})`;
    console.log(`${outcome.padEnd(4)} ${client.padEnd(10)} ${feature.padEnd(13)} ${note}`);
  }

  /** A failure that ended the run before all checks were made. */
  abort(reason: string): void {
    this.#aborted++;
    console.log(`FAIL ${"all".padEnd(10)} ${"".padEnd(13)} (${reason.replaceAll(/\s+/g, " ")})`);
  }

  /** Whether all the checks were made. */
  get complete(): boolean {
    return this.#aborted === 0;
  }

  get failed(): boolean {
    return this.#failures > 0;
  }

  get #failures(): number {
    return this.count("FAIL") + this.#aborted;
  }

  count(outcome: Outcome): number {
    return this.results.filter((result) => result.outcome === outcome).length;
  }

  /** The closing line of the run. */
  summary(): string {
    const skipped = this.count("skip");
    const end = skipped > 0 ? `, ${skipped} skipped` : "";
    return `${this.count("ok")} passed, ${this.#failures} failed${end}`;
  }
}
