/** Runs checks one after the other, prints a line for each, and counts. */
export class Checks {
  passed = 0;
  failed = 0;

  async check(what: string, run: () => Promise<void>): Promise<void> {
    const started = performance.now();
    try {
      await run();
      this.passed++;
      console.log(`ok   ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.fail(what, error);
    }
  }

  fail(what: string, error: unknown): void {
    this.failed++;
    console.log(`FAIL ${what}: ${error instanceof Error ? error.message : error}`);
  }

  summary(): string {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}
