import { connect } from "../push/connect.ts";
import { Memory } from "../push/memory.ts";
import { parseImageReference, printImageReference } from "../push/registry/reference.ts";
import { Repository } from "../push/registry/repository.ts";
import { openSource } from "../push/source/open.ts";
import { transfer } from "../push/transfer.ts";
import type { Command } from "./command.ts";
import {
  parseTransfer,
  readTransferOptions,
  transferUsage,
  withDisplay,
  withExitStatus,
} from "./transfer-options.ts";

const pushOptions = {
  name: { type: "string" },
  uncompressed: { type: "boolean", default: false },
} as const;

export const pushCommand: Command = {
  usage: `push IMAGE REFERENCE        Push an image in chunks; the same command goes on after an interruption. IMAGE is
                            docker:NAME, podman:NAME, a folder with an OCI layout, a tar of either form, - for
                            one on the standard input, or the NAME of an image of the local engine. Exit status
                            0 it is pushed, 1 it cannot be, 2 wrong arguments, 75 it may go on later
    --name NAME             which image, where IMAGE holds several
    --uncompressed          push the layers of a docker-archive as they are, instead of gzipped
${transferUsage}`,

  run: (args) =>
    withExitStatus(async () => {
      const { values, from, to } = parseTransfer(
        args,
        pushOptions,
        "push IMAGE REFERENCE expected, such as: push docker:app:1 registry.example.com/team/app:1",
      );
      const reference = parseImageReference(to);
      const common = readTransferOptions(values);
      const memory = await Memory.open(process.env);
      return withDisplay(async (display) => {
        const registry = connect(reference, values["plain-http"], display);
        const target = new Repository(registry, reference.name, "pull,push");
        const source = await openSource(from, {
          name: values.name,
          platform: values.platform,
          uncompressed: values.uncompressed,
          memory,
          tell: (line) => display.line(line),
        });
        try {
          const { root } = await transfer(source, { ...common, target, reference, memory, display });
          return printImageReference({ ...reference, digest: root.digest });
        } finally {
          await source.close();
        }
      });
    }),
};
