import { pages } from "../../src/maintenance/pages.ts";
import { tryParseDigest } from "../../src/oci/digest.ts";
import type { RepositoryName, Tag } from "../../src/oci/name.ts";
import { mapBounded } from "../../src/storage/bounded.ts";
import { linkOf, readLink } from "../../src/storage/link.ts";
import type { Store } from "../../src/storage/store.ts";
import { readTagHead } from "../../src/storage/tag-register.ts";
import { refuseCollisions } from "./collisions.ts";
import { exportBlob } from "./export-blob.ts";
import { newOutcome, type Outcome } from "./outcome.ts";
import { treeLayout } from "./tree.ts";
import { OtherBytes } from "./write-blob.ts";
import { writeLink } from "./write-link.ts";

/** Blobs and links that are copied at once. */
const parallelBlobs = 4;
const parallelLinks = 16;

/**
 * Copies the bucket into distribution's storage tree below `root`: first all data, then links, tags last. What
 * was deleted does not come along, and of Skerry's own keys nothing. A file is there only when it is whole, so
 * that it can be repeated until it is through.
 * @throws Error if the folder takes two names that differ in case alone for one, and the bucket has such tags.
 */
export async function exportTree(
  store: Store,
  root: string,
  show: (outcome: Outcome) => void,
): Promise<Outcome> {
  const outcome = newOutcome();
  await refuseCollisions(store, root);
  await eachObject(store, store.layout.blobs(), parallelBlobs, async (object) => {
    await copyBlob(store, root, object, outcome);
    show(outcome);
  });
  // In the order of keys layer links come before revisions, and those before tags.
  await eachObject(store, store.layout.repositories(), parallelLinks, async (object) => {
    await copyLink(store, root, object, outcome);
    show(outcome);
  });
  return outcome;
}

async function eachObject(
  store: Store,
  prefix: string,
  parallel: number,
  work: (object: R2Object) => Promise<void>,
): Promise<void> {
  for await (const page of pages(store, prefix, { metadata: true })) await mapBounded(page, parallel, work);
}

async function copyBlob(store: Store, root: string, object: R2Object, outcome: Outcome): Promise<void> {
  const key = store.layout.parse(object.key);
  if (key?.kind !== "blobData") {
    outcome.notes.push(`stray: ${object.key}`);
    return;
  }
  try {
    const isNew = await exportBlob(store, root, key.digest, object.size);
    outcome[isNew ? "copied" : "present"]++;
    if (isNew) outcome.bytes += object.size;
  } catch (error) {
    if (!(error instanceof OtherBytes)) throw error;
    outcome.notes.push(`other bytes than its digest says: ${key.digest}`);
  }
}

async function copyLink(store: Store, root: string, object: R2Object, outcome: Outcome): Promise<void> {
  const key = store.layout.parse(object.key);
  const write = async (name: string, text: string) => {
    outcome[(await writeLink(root, name, text)) ? "copied" : "present"]++;
  };
  if (key?.kind === "layerLink" || key?.kind === "revisionLink") {
    const link = linkOf(object, key.digest) ?? (await readLink(store, object.key, key.digest));
    const name = treeLayout[key.kind](key.name, key.digest);
    if (link.target !== undefined) await write(name, link.target);
    else if (object.customMetadata?.tombstone === undefined) outcome.notes.push(`unreadable: ${name}`);
  } else if (key?.kind === "currentLink" || key?.kind === "tag") {
    const digest = await tagged(store, key.name, key.tag, key.kind);
    if (digest === undefined) return;
    await write(treeLayout.tagIndexLink(key.name, key.tag, digest), digest);
    await write(treeLayout.currentLink(key.name, key.tag), digest);
  }
}

/**
 * What the tag names, told once for each tag: by its register; by `current/link` where there is no register,
 * because the bucket was not adopted. A tag whose manifest is deleted names nothing.
 */
async function tagged(store: Store, name: RepositoryName, tag: Tag, from: "currentLink" | "tag") {
  const register = await readTagHead(store, name, tag);
  if ((from === "tag") !== (register.version !== undefined)) return undefined;
  const link =
    from === "tag"
      ? register.target?.digest
      : await (await store.bucket.get(store.layout.currentLink(name, tag)))?.text();
  const digest = tryParseDigest(link ?? "");
  if (digest === undefined) return undefined;
  const revision = await readLink(store, store.layout.revisionLink(name, digest), digest);
  if (revision.target === undefined) return undefined;
  const isDead = from === "tag" && revision.generation !== register.target?.generation;
  return isDead ? undefined : digest;
}
