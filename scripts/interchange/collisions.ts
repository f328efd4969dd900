import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pages } from "../../src/maintenance/pages.ts";
import type { Store } from "../../src/storage/store.ts";

/**
 * Refuses a folder that takes two names for one if they differ in case alone, when the bucket has such tags; of
 * all parts of a key only tags may hold capital letters.
 * @throws Error that names the two.
 */
export async function refuseCollisions(
  store: Store,
  root: string,
  ignoresCase: (root: string) => Promise<boolean> = doesIgnoreCase,
): Promise<void> {
  await mkdir(root, { recursive: true });
  if (!(await ignoresCase(root))) return;
  let seen = new Map<string, string>();
  let repository = "";
  for await (const page of pages(store, store.layout.repositories())) {
    for (const object of page) {
      const key = store.layout.parse(object.key);
      if (key?.kind !== "tag" && key?.kind !== "currentLink") continue;
      if (key.name !== repository) seen = new Map();
      repository = key.name;
      const other = seen.get(key.tag.toLowerCase());
      if (other !== undefined && other !== key.tag) {
        throw new Error(`${root} ignores case, and ${key.name} has the tags ${other} and ${key.tag}`);
      }
      seen.set(key.tag.toLowerCase(), key.tag);
    }
  }
}

async function doesIgnoreCase(root: string): Promise<boolean> {
  const probe = join(root, ".skerry-Case");
  await writeFile(probe, "");
  try {
    return await stat(join(root, ".skerry-case")).then(
      () => true,
      () => false,
    );
  } finally {
    await rm(probe);
  }
}
