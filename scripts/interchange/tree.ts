import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Key } from "../../src/storage/key.ts";
import { Layout } from "../../src/storage/layout.ts";

/** A file of distribution's storage tree. */
export interface TreeFile {
  readonly path: string;
  /** Relative to the tree's root, with slashes. */
  readonly name: string;
  /** `tagIndex`: an entry of a tag's index of earlier digests. `stray`: nothing of distribution's. */
  readonly kind: LinkKind | "blobData" | "stray";
  readonly key: Key | undefined;
}

/** The links of a tree in the order in which they may be written: none is there before what it leads to. */
export const linkKinds = ["layerLink", "revisionLink", "tagIndex", "currentLink"] as const;
export type LinkKind = (typeof linkKinds)[number];

/** Keys as a tree has them: without a prefix. */
export const treeLayout = new Layout();
const tagIndex = /\/_manifests\/tags\/[^/]+\/index\/[^/]+\/[^/]+\/link$/;

/** The tree's two folders, as names below its root. @throws Error if `root` holds no tree. */
export async function foldersOf(root: string): Promise<{ blobs: string; repositories: string }> {
  const folders = { blobs: treeLayout.blobs(), repositories: treeLayout.repositories() };
  for (const folder of Object.values(folders)) {
    const found = await stat(join(root, folder)).catch(() => undefined);
    if (!found?.isDirectory()) throw new Error(`${root} holds no ${folder}: not the root of a storage tree`);
  }
  return folders;
}

/** What the keys of the bucket have before those of a tree. */
export function prefixOf(layout: Layout): string {
  return layout.blobs().slice(0, -treeLayout.blobs().length);
}

/** Every file below a folder of the tree but those of unfinished uploads, in no certain order. */
export async function* treeFiles(root: string, folder: string): AsyncGenerator<TreeFile> {
  for await (const entry of await opendir(join(root, folder))) {
    const name = `${folder.replace(/\/$/, "")}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== "_uploads") yield* treeFiles(root, name);
    } else {
      yield { path: join(root, name), name, kind: kindOf(name), key: treeLayout.parse(name) };
    }
  }
}

function kindOf(name: string): TreeFile["kind"] {
  if (tagIndex.test(name)) return "tagIndex";
  const kind = treeLayout.parse(name)?.kind;
  if (kind === "blobData" || kind === "layerLink" || kind === "revisionLink" || kind === "currentLink") {
    return kind;
  }
  return "stray";
}
