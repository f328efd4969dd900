import type { Key } from "../../src/storage/key.ts";
import { Layout } from "../../src/storage/layout.ts";

/** Where a storage tree of distribution's is read from. */
export interface TreeSource {
  /** For messages: the folder or the URL. */
  readonly name: string;
  /** Whether there is anything below this folder of the tree, which ends with a slash. */
  has(folder: string): Promise<boolean>;
  /** Every file below a folder of the tree but those that are passed over, in no certain order. */
  files(folder: string): AsyncIterable<TreeFile>;
}

/** A file of distribution's storage tree, with its content. */
export interface TreeFile extends TreeName {
  /** Bytes. */
  size(): Promise<number>;
  /** The content from its beginning. */
  body(): AsyncIterable<Uint8Array>;
}

/** What the name of a file of the tree says. */
export interface TreeName {
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
const passedOver = new RegExp(`^${treeLayout.repositories()}(?:[^_/][^/]*/)+(?:_uploads|_skerry)/`);
const tagIndex = /\/_manifests\/tags\/[^/]+\/index\/[^/]+\/[^/]+\/link$/;

/**
 * The tree's two folders, as names below its root with a slash at the end.
 * @throws Error if the source holds no tree.
 */
export async function foldersOf(source: TreeSource): Promise<{ blobs: string; repositories: string }> {
  const folders = { blobs: treeLayout.blobs(), repositories: treeLayout.repositories() };
  for (const folder of Object.values(folders)) {
    if (!(await source.has(folder)))
      throw new Error(`${source.name} holds no ${folder}: not the root of a storage tree`);
  }
  return folders;
}

/** What the keys of the bucket have before those of a tree. */
export function prefixOf(layout: Layout): string {
  return layout.blobs().slice(0, -treeLayout.blobs().length);
}

/** Whether a name, of a folder with a slash at the end, belongs to unfinished uploads or to Skerry's own records. */
export function isPassedOver(name: string): boolean {
  return passedOver.test(name);
}

export function treeName(name: string): TreeName {
  return { name, kind: kindOf(name), key: treeLayout.parse(name) };
}

function kindOf(name: string): TreeFile["kind"] {
  if (tagIndex.test(name)) return "tagIndex";
  const kind = treeLayout.parse(name)?.kind;
  if (kind === "blobData" || kind === "layerLink" || kind === "revisionLink" || kind === "currentLink") {
    return kind;
  }
  return "stray";
}
