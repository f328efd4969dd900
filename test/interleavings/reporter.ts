import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Reporter, TestCase } from "vitest/node";
import { report } from "./report.ts";
import type { Row } from "./row.ts";

/**
 * Writes docs/interleavings.md from what the tests found:
 * `npx vitest run test/interleavings --reporter=default --reporter=./test/interleavings/reporter.ts`
 */
export default class InterleavingsReporter implements Reporter {
  readonly #rows: Row[] = [];

  onTestCaseResult(testCase: TestCase): void {
    const row = testCase.meta().interleavings;
    if (row !== undefined) this.#rows.push(row);
  }

  onTestRunEnd(): void {
    writeFileSync(join(import.meta.dirname, "../../docs/interleavings.md"), report(this.#rows));
  }
}
