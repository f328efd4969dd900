import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { convertBucket } from "../interchange/convert.ts";
import { summary } from "../interchange/outcome.ts";
import type { Command } from "./command.ts";
import { Progress } from "./progress.ts";

export const convertCommand: Command = {
  usage: `convert FROM TO             Turn a copy of serverless-registry's bucket in the folder FROM into distribution's
                            storage tree below TO, for import. Exit status 2 if something was left out`,

  async run(args) {
    const [from, to, ...others] = parseArgs({ args: [...args], allowPositionals: true }).positionals;
    if (from === undefined || to === undefined || others.length > 0) throw new Error("two folders expected");
    const progress = new Progress();
    const outcome = await convertBucket(resolve(from), resolve(to), (sofar) => progress.show(summary(sofar)));
    progress.end();
    for (const note of outcome.notes) console.log(note);
    console.log(summary(outcome));
    if (outcome.notes.length > 0) process.exitCode = 2;
  },
};
