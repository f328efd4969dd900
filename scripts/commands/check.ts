import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { printFinding } from "../../src/maintenance/check/finding.ts";
import { type CheckSummary, checkBucket } from "../../src/maintenance/check/run.ts";
import type { Algorithm } from "../../src/oci/digest.ts";
import { tryParseRepositoryName } from "../../src/oci/name.ts";
import type { Command } from "./command.ts";
import { storeOptions, storeUsage, withStore } from "./local-store.ts";
import { Progress } from "./progress.ts";

/** Exit statuses, as of fsck(8) and diff(1). */
const clean = 0;
const findingsLeft = 1;
const notChecked = 2;

export const checkCommand: Command = {
  usage: `check [REPOSITORY]          Compare what is in the bucket: tags, links, claims, data, referrers. Exit status:
                            0 all is well or repaired, 1 findings are left, 2 it could not be checked
    --repair                mend what can be mended
    --verify-digests        read all data and compare it with its digest
${storeUsage}`,

  async run(args) {
    try {
      process.exitCode = await check(args);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = notChecked;
    }
  },
};

async function check(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...storeOptions,
      repair: { type: "boolean", default: false },
      "verify-digests": { type: "boolean", default: false },
    },
  });
  const [repository, ...others] = positionals;
  const name = repository === undefined ? undefined : tryParseRepositoryName(repository);
  if (others.length > 0 || (repository !== undefined && name === undefined)) {
    throw new Error(`check ${positionals.join(" ")}: one repository expected, such as team/app`);
  }
  const options = { name, repair: values.repair, hash: values["verify-digests"] ? hash : undefined };
  const progress = new Progress();
  const summary = await withStore(values, (store) =>
    checkBucket(
      store,
      options,
      (finding) => {
        progress.end();
        console.log(printFinding(finding));
      },
      (keys) => progress.show(`${keys} keys`),
    ),
  );
  progress.end();
  console.log(printSummary(summary));
  return summary.left === 0 ? clean : findingsLeft;
}

function printSummary({ keys, found, left }: CheckSummary): string {
  return `${keys} keys: ${found} findings, ${found - left} repaired, ${left} left`;
}

async function hash(body: ReadableStream, algorithm: Algorithm): Promise<string> {
  const hasher = createHash(algorithm);
  for await (const chunk of body) hasher.update(chunk);
  return hasher.digest("hex");
}
