import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { report } from "./report.ts";

/**
 * Writes docs/interleavings.md from what the tests found:
 * `npx vitest run test/interleavings --reporter=default --reporter=./test/interleavings/reporter.ts`
 */
export default class InterleavingsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    // By name: files run beside each other, and whichever ended first must not show in the page.
    const byName = modules.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
    const tests = byName.flatMap((module) => [...module.children.allTests()]);
    const rows = tests.flatMap((test) => test.meta().interleavings ?? []);
    writeFileSync(join(import.meta.dirname, "../../docs/interleavings.md"), report(rows));
  }
}
