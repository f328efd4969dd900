import { text } from "node:stream/consumers";
import { type Digest, tryParseDigest } from "../../src/oci/digest.ts";
import { mapBounded } from "../../src/storage/bounded.ts";
import { mayLeadTo, readLink } from "../../src/storage/link.ts";
import { createOnce } from "../../src/storage/register.ts";
import type { Store } from "../../src/storage/store.ts";
import { importBlob, WrongDigest } from "./import-blob.ts";
import { newOutcome, type Outcome } from "./outcome.ts";
import { foldersOf, linkKinds, prefixOf, type TreeFile, type TreeSource } from "./tree.ts";

/** Blobs and links that are copied at once. */
const parallelBlobs = 4;
const parallelLinks = 16;

/**
 * Copies distribution's storage tree into the bucket: first all data, then links, tags last. Nothing that is in
 * the bucket is overwritten, so it can be repeated until it is through. The bucket is to be adopted afterwards.
 * @throws Error if there is no such tree.
 */
export async function importTree(
  store: Store,
  source: TreeSource,
  show: (outcome: Outcome) => void,
): Promise<Outcome> {
  const outcome = newOutcome();
  const folders = await foldersOf(source);
  await eachFile(source, folders.blobs, parallelBlobs, async (file) => {
    if (file.key?.kind === "blobData") await copyBlob(store, file, file.key.digest, outcome);
    else outcome.notes.push(`stray: ${file.name}`);
    show(outcome);
  });
  for (const kind of linkKinds) {
    await eachFile(source, folders.repositories, parallelLinks, async (file) => {
      if (file.kind === kind) await copyLink(store, file, outcome);
      else if (file.kind === "stray" && kind === linkKinds[0]) outcome.notes.push(`stray: ${file.name}`);
      show(outcome);
    });
  }
  return outcome;
}

async function eachFile(
  source: TreeSource,
  folder: string,
  parallel: number,
  work: (file: TreeFile) => Promise<void>,
): Promise<void> {
  let batch: TreeFile[] = [];
  const flush = async () => {
    await mapBounded(batch, parallel, work);
    batch = [];
  };
  for await (const file of source.files(folder)) {
    batch.push(file);
    if (batch.length >= 1000) await flush();
  }
  await flush();
}

async function copyBlob(store: Store, file: TreeFile, digest: Digest, outcome: Outcome): Promise<void> {
  const size = await file.size();
  const present = await store.bucket.head(store.layout.blobData(digest));
  if (present?.size === size) {
    outcome.present++;
    return;
  }
  try {
    await importBlob(store, file.body(), digest, size);
    outcome.copied++;
    outcome.bytes += size;
  } catch (error) {
    if (!(error instanceof WrongDigest)) throw error;
    outcome.notes.push(`other bytes than its digest says: ${digest}`);
  }
}

async function copyLink(store: Store, file: TreeFile, outcome: Outcome): Promise<void> {
  const link = await text(file.body());
  const bucketKey = prefixOf(store.layout) + file.name;
  const target = tryParseDigest(link);
  if (target === undefined) {
    outcome.notes.push(`unreadable: ${file.name}`);
  } else if (isDead(file, target)) {
    outcome.notes.push(`deleted or damaged: ${file.name}`);
  } else if (await createOnce(store, bucketKey, link)) {
    outcome.copied++;
  } else if ((await bucketsLink(store, bucketKey)) === link) {
    outcome.present++;
  } else {
    outcome.notes.push(`the bucket says otherwise: ${file.name}`);
  }
}

/** Whether this is what Skerry leaves of a deleted link, which the tree of a bucket it had may hold, or damage. */
function isDead({ key }: TreeFile, target: Digest): boolean {
  return (key?.kind === "layerLink" || key?.kind === "revisionLink") && !mayLeadTo(key.digest, target);
}

/** What the link in the bucket leads to; undefined for a tombstone. */
async function bucketsLink(store: Store, bucketKey: string): Promise<string | undefined> {
  const key = store.layout.parse(bucketKey);
  if (key?.kind === "layerLink" || key?.kind === "revisionLink") {
    return (await readLink(store, bucketKey, key.digest)).target;
  }
  return (await store.bucket.get(bucketKey))?.text();
}
