import { readFile, stat } from "node:fs/promises";
import { type Digest, tryParseDigest } from "../../src/oci/digest.ts";
import { mapBounded } from "../../src/storage/bounded.ts";
import { readLink } from "../../src/storage/link.ts";
import { createOnce } from "../../src/storage/register.ts";
import type { Store } from "../../src/storage/store.ts";
import { importBlob, WrongDigest } from "./import-blob.ts";
import { newOutcome, type Outcome } from "./outcome.ts";
import { foldersOf, linkKinds, prefixOf, type TreeFile, treeFiles } from "./tree.ts";

/** Blobs and links that are copied at once. */
const parallelBlobs = 4;
const parallelLinks = 16;

/**
 * Copies distribution's storage tree below `root` (which holds `docker/registry/v2`) into the bucket: first all
 * data, then links, tags last. Nothing that is in the bucket is overwritten, so it can be repeated until it is
 * through. The bucket is to be adopted afterwards.
 * @throws Error if there is no such tree.
 */
export async function importTree(
  store: Store,
  root: string,
  show: (outcome: Outcome) => void,
): Promise<Outcome> {
  const outcome = newOutcome();
  const folders = await foldersOf(root);
  await eachFile(root, folders.blobs, parallelBlobs, async (file) => {
    if (file.key?.kind === "blobData") await copyBlob(store, file.path, file.key.digest, outcome);
    else outcome.notes.push(`stray: ${file.name}`);
    show(outcome);
  });
  for (const kind of linkKinds) {
    await eachFile(root, folders.repositories, parallelLinks, async (file) => {
      if (file.kind === kind) await copyLink(store, file, outcome);
      else if (file.kind === "stray" && kind === linkKinds[0]) outcome.notes.push(`stray: ${file.name}`);
      show(outcome);
    });
  }
  return outcome;
}

async function eachFile(
  root: string,
  folder: string,
  parallel: number,
  work: (file: TreeFile) => Promise<void>,
): Promise<void> {
  let batch: TreeFile[] = [];
  const flush = async () => {
    await mapBounded(batch, parallel, work);
    batch = [];
  };
  for await (const file of treeFiles(root, folder)) {
    batch.push(file);
    if (batch.length >= 1000) await flush();
  }
  await flush();
}

async function copyBlob(store: Store, path: string, digest: Digest, outcome: Outcome): Promise<void> {
  const { size } = await stat(path);
  const present = await store.bucket.head(store.layout.blobData(digest));
  if (present?.size === size) {
    outcome.present++;
    return;
  }
  try {
    await importBlob(store, path, digest, size);
    outcome.copied++;
    outcome.bytes += size;
  } catch (error) {
    if (!(error instanceof WrongDigest)) throw error;
    outcome.notes.push(`other bytes than its digest says: ${digest}`);
  }
}

async function copyLink(store: Store, file: TreeFile, outcome: Outcome): Promise<void> {
  const text = await readFile(file.path, "utf8");
  const bucketKey = prefixOf(store.layout) + file.name;
  if (tryParseDigest(text) === undefined) {
    outcome.notes.push(`unreadable: ${file.name}`);
  } else if (await createOnce(store, bucketKey, text)) {
    outcome.copied++;
  } else if ((await bucketsLink(store, bucketKey)) === text) {
    outcome.present++;
  } else {
    outcome.notes.push(`the bucket says otherwise: ${file.name}`);
  }
}

/** What the link in the bucket leads to; undefined for a tombstone. */
async function bucketsLink(store: Store, bucketKey: string): Promise<string | undefined> {
  const key = store.layout.parse(bucketKey);
  if (key?.kind === "layerLink" || key?.kind === "revisionLink") {
    return (await readLink(store, bucketKey, key.digest)).target;
  }
  return (await store.bucket.get(bucketKey))?.text();
}
