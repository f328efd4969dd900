import { createReadStream } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isPassedOver, type TreeFile, type TreeSource, treeName } from "./tree.ts";

/** The tree below a folder, which holds `docker/registry/v2`: the filesystem driver's `rootdirectory`. */
export function folderSource(root: string): TreeSource {
  return {
    name: root,
    has: async (folder) => (await stat(join(root, folder)).catch(() => undefined))?.isDirectory() ?? false,
    files: (folder) => filesBelow(root, folder.replace(/\/$/, "")),
  };
}

async function* filesBelow(root: string, folder: string): AsyncGenerator<TreeFile> {
  for await (const entry of await opendir(join(root, folder))) {
    const name = `${folder}/${entry.name}`;
    const path = join(root, name);
    if (entry.isDirectory()) {
      if (!isPassedOver(`${name}/`)) yield* filesBelow(root, name);
    } else {
      yield {
        ...treeName(name),
        size: async () => (await stat(path)).size,
        // Not opened before it is read, so that nobody needs to close what was never read.
        body: async function* () {
          yield* createReadStream(path);
        },
      };
    }
  }
}
