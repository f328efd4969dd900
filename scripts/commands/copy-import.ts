import { connect } from "../push/connect.ts";
import { driveImport, openImport, wantedImport } from "../push/import.ts";
import type { Display } from "../push/progress.ts";
import { type ImportStatus, Imports } from "../push/registry/imports.ts";
import { type ImageReference, printImageReference } from "../push/registry/reference.ts";
import { UsageError, withDisplay } from "./transfer-options.ts";

/** Options of `copy --import`, as parseArgs takes them. */
export const importOptions = {
  import: { type: "boolean", default: false },
  detach: { type: "boolean", default: false },
  cancel: { type: "boolean", default: false },
} as const;

/** What `--help` says of them. */
export const importUsage = `    --import                have the registry of the second one fetch the image itself, from one of its upstreams;
                            the same command goes on watching. Of the options below it takes --referrers and
                            --plain-http
    --import --detach       only begin it, and print where it is
    --import --cancel       end it`;

interface ImportCommand {
  readonly source: ImageReference;
  readonly target: ImageReference;
  readonly referrers: boolean;
  readonly detach: boolean;
  readonly cancel: boolean;
  readonly "plain-http"?: boolean | undefined;
}

/** Of a program that was interrupted, as shells tell it: 128 and the number of the signal. */
const interrupted = 130;

/** Runs `copy --import`. @returns what it prints: the image with its digest, or where the import is. */
export async function runImport(command: ImportCommand): Promise<string> {
  const { source, target, detach, cancel } = command;
  if (detach && cancel) throw new UsageError("--detach and --cancel: one of them");
  const wanted = wantedImport(source, target, command.referrers);
  return withDisplay(async (display) => {
    const imports = new Imports(connect(target, command["plain-http"], display), target.name);
    if (cancel) {
      const open = await imports.findOpen(wanted);
      if (open === undefined) throw new Error("there is no such import, or it is over");
      await imports.cancel(open.location);
      return open.location.href;
    }
    const begun = await openImport(imports, wanted);
    if (detach) return begun.location.href;
    const forget = onInterrupt(begun, display);
    try {
      const digest = await driveImport(imports, begun, display);
      return printImageReference({ ...target, digest });
    } finally {
      forget();
    }
  });
}

/** Says, when the user interrupts the command, that the import is not. @returns what ends that. */
function onInterrupt({ location }: ImportStatus, display: Display): () => void {
  const tell = () => {
    display.stop();
    console.error(
      `The registry goes on with the import by itself: ${location.href}\nThe same command goes on watching it; with --cancel it ends it.`,
    );
    process.exit(interrupted);
  };
  process.once("SIGINT", tell);
  return () => process.removeListener("SIGINT", tell);
}
