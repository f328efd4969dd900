import { parseArgs } from "node:util";
import { registryOption, registryUsage, send, targetOf } from "./admin-api.ts";
import type { Command } from "./command.ts";

interface Step {
  readonly phase: string;
  readonly report: object;
  /** By kind, why such may go. */
  readonly reasons: object;
  /** Where a dry run stands, which the registry does not remember. */
  readonly resume?: unknown;
}

/** Steps of one pass at most: a pass that needs more goes on with the next call. */
const maxSteps = 10_000;

export const gcCommand: Command = {
  usage: `gc                          Collect garbage until the pass is done, and print its report
    --dry-run               change nothing, and print what a pass would take
    --reports               print the reports of the last passes
${registryUsage}`,

  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...registryOption,
        "dry-run": { type: "boolean", default: false },
        reports: { type: "boolean", default: false },
      },
    });
    const target = targetOf(values.registry);
    if (values.reports) return print(await (await send(target, "GET", "/v2/_skerry/gc")).json());
    const path = `/v2/_skerry/gc?dry-run=${values["dry-run"]}`;
    let resume: unknown;
    for (let steps = 0; steps < maxSteps; steps++) {
      const answer = await send(target, "POST", path, resume === undefined ? undefined : { resume });
      const step = (await answer.json()) as Step;
      if (step.phase === "done") return print({ ...step.report, reasons: step.reasons });
      resume = step.resume;
      process.stderr.write(`step ${steps + 1}: ${step.phase}\n`);
    }
  },
};

function print(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}
