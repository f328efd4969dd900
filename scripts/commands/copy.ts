import { connect } from "../push/connect.ts";
import { copyImage } from "../push/copy.ts";
import { Memory } from "../push/memory.ts";
import { type ImageReference, parseImageReference, printImageReference } from "../push/registry/reference.ts";
import { Repository } from "../push/registry/repository.ts";
import type { Command } from "./command.ts";
import { importOptions, importUsage, runImport } from "./copy-import.ts";
import {
  parseTransfer,
  readTransferOptions,
  transferUsage,
  UsageError,
  withDisplay,
  withExitStatus,
} from "./transfer-options.ts";

const copyOptions = { ...importOptions, referrers: { type: "boolean", default: false } } as const;

export const copyCommand: Command = {
  usage: `copy REFERENCE REFERENCE    Copy an image from registry to registry in chunks, with its digests; goes on after an
                            interruption, and has the exit statuses of push
${importUsage}
    --referrers             and what refers to it: signatures, attestations
${transferUsage}`,

  run: (args) =>
    withExitStatus(async () => {
      const { values, from, to } = parseTransfer(args, copyOptions, "copy REFERENCE REFERENCE expected");
      const [source, reference] = [parseImageReference(from), parseImageReference(to)];
      const common = readTransferOptions(values);
      if (values.import) {
        if (isOfCopyAlone(values))
          throw new UsageError(
            "--import takes --referrers and --plain-http, and no option of a copy by way of this machine",
          );
        return runImport({ ...values, source, target: reference });
      }
      if (values.detach || values.cancel) throw new UsageError("--detach and --cancel are for --import");
      const memory = await Memory.open(process.env);
      return withDisplay(async (display) => {
        const repositoryOf = (place: ImageReference, actions: "pull" | "pull,push") =>
          new Repository(connect(place, values["plain-http"], display), place.name, actions);
        const { root, referrers } = await copyImage(
          {
            repository: repositoryOf(source, "pull"),
            reference: source,
            platform: values.platform,
            referrers: values.referrers,
          },
          { ...common, target: repositoryOf(reference, "pull,push"), reference, memory, display },
        );
        if (values.referrers) display.line(`${referrers} referrers copied`);
        return printImageReference({ ...reference, digest: root.digest });
      });
    }),
};

/** Whether there are options that have no meaning for an import. */
function isOfCopyAlone(values: {
  readonly platform?: string | undefined;
  readonly "mount-from": readonly string[];
  readonly parallel?: string | undefined;
  readonly "chunk-size"?: string | undefined;
}): boolean {
  const { platform, "mount-from": mountFrom, parallel, "chunk-size": chunkSize } = values;
  return [platform, parallel, chunkSize].some((value) => value !== undefined) || mountFrom.length > 0;
}
