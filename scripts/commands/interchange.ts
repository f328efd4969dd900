import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Store } from "../../src/storage/store.ts";
import { exportTree } from "../interchange/export.ts";
import { importTree } from "../interchange/import.ts";
import { type Outcome, summary } from "../interchange/outcome.ts";
import type { Command } from "./command.ts";
import { storeOptions, storeUsage, withStore } from "./local-store.ts";
import { Progress } from "./progress.ts";

type Copy = (store: Store, root: string, show: (outcome: Outcome) => void) => Promise<Outcome>;

/** Copies, and fails if something was left out. */
async function run(args: readonly string[], copy: Copy): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: storeOptions,
  });
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0) throw new Error("one folder expected");
  const progress = new Progress();
  const outcome = await withStore(values, (store) =>
    copy(store, resolve(folder), (sofar) => progress.show(summary(sofar))),
  );
  progress.end();
  for (const note of outcome.notes) console.log(note);
  console.log(summary(outcome));
  if (outcome.notes.length > 0) process.exitCode = 2;
}

export const importCommand: Command = {
  usage: `import FOLDER               Copy distribution's storage tree (FOLDER/docker/registry/v2) into the bucket, which is
                            to be adopted then; may be repeated. Exit status 2 if something was left out
${storeUsage}`,
  run: (args) => run(args, importTree),
};

export const exportCommand: Command = {
  usage: `export FOLDER               Copy the bucket into a storage tree that distribution serves; options as import`,
  run: (args) => run(args, exportTree),
};
