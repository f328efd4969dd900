import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { type RepositoryName, tryParseRepositoryName } from "../../src/oci/name.ts";
import { type Display, openDisplay } from "../push/progress.ts";
import { RegistryFailure } from "../push/registry/failure.ts";

/** Options of push and copy, as parseArgs takes them. */
const transferOptions = {
  platform: { type: "string" },
  "mount-from": { type: "string", multiple: true, default: [] as string[] },
  parallel: { type: "string" },
  "chunk-size": { type: "string" },
  "plain-http": { type: "boolean" },
} as const;

/** What `--help` says of them. */
export const transferUsage = `    --platform OS/ARCH      only that platform of an image for several
    --mount-from REPOSITORY where the target may have layers already; may be repeated
    --parallel N            blobs at once (4)
    --chunk-size BYTES      of one request, such as 64MiB, within what the registry announces (32MiB)
    --plain-http            without TLS; at localhost that is the default, against which --no-plain-http helps`;

/** A command that was called in a wrong way. */
export class UsageError extends Error {}

/** What the options say. */
export interface TransferValues {
  readonly mountFrom: readonly RepositoryName[];
  readonly parallel: number;
  readonly chunkSize: number | undefined;
}

const defaultParallel = 4;
const maxParallel = 32;
const units: Readonly<Record<string, number>> = {
  "": 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

/**
 * The arguments of push or copy: from where, to where, their common options and those of the command's own.
 * @param complaint what those are told who give it anything but two arguments.
 * @throws UsageError or parseArgs's own error.
 */
export function parseTransfer<const Own extends ParseArgsOptionsConfig>(
  args: readonly string[],
  own: Own,
  complaint: string,
) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: { ...transferOptions, ...own },
  });
  const [from, to, ...others] = positionals;
  if (from === undefined || to === undefined || others.length > 0) throw new UsageError(complaint);
  return { values, from, to };
}

/** @throws UsageError for a value that is none. */
export function readTransferOptions(values: {
  readonly "mount-from": readonly string[];
  readonly parallel?: string | undefined;
  readonly "chunk-size"?: string | undefined;
}): TransferValues {
  const { parallel, "chunk-size": chunkSize, "mount-from": mountFrom } = values;
  const count = parallel === undefined ? defaultParallel : Number(parallel);
  if (!Number.isInteger(count) || count < 1 || count > maxParallel) {
    throw new UsageError(`--parallel ${parallel}: a number from 1 to ${maxParallel} expected`);
  }
  return {
    mountFrom: mountFrom.map((text) => {
      const name = tryParseRepositoryName(text);
      if (name === undefined)
        throw new UsageError(`--mount-from ${text}: a repository expected, such as team/app`);
      return name;
    }),
    parallel: count,
    chunkSize: chunkSize === undefined ? undefined : readBytes(chunkSize),
  };
}

function readBytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([KMG]i?B)?$/.exec(text) ?? [];
  const bytes = Number(digits) * (units[unit] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw new UsageError(`--chunk-size ${text}: bytes expected, such as 64MiB`);
  return bytes;
}

/** Exit statuses: 75 is EX_TEMPFAIL of sysexits(3). */
const failed = 1;
const wrongArguments = 2;
const temporary = 75;

/** Runs a command, prints what it gives or what went wrong, and sets the exit status. */
export async function withExitStatus(run: () => Promise<string>): Promise<void> {
  try {
    console.log(await run());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (isUsageError(error)) {
      process.exitCode = wrongArguments;
      return;
    }
    const isTemporary = error instanceof RegistryFailure && error.isTemporary;
    if (isTemporary) console.error("The same command goes on where this one stopped.");
    // Other blobs may be under way still. To be cut off anywhere is what they are made for.
    process.exit(isTemporary ? temporary : failed);
  }
}

/** Runs what shows how far it is, and takes that off the terminal before anything else is printed. */
export async function withDisplay<Result>(run: (display: Display) => Promise<Result>): Promise<Result> {
  const display = openDisplay();
  try {
    return await run(display);
  } finally {
    display.stop();
  }
}

function isUsageError(error: unknown): boolean {
  const isOfParseArgs =
    error instanceof TypeError && "code" in error && /^ERR_PARSE_ARGS/.test(String(error.code));
  return error instanceof UsageError || isOfParseArgs;
}
