import { createReadStream } from "node:fs";
import { opendir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestOf, tryParseDigest } from "../../src/oci/digest.ts";
import { type RepositoryName, tryParseRepositoryName, tryParseTag } from "../../src/oci/name.ts";
import { mapBounded } from "../../src/storage/bounded.ts";
import { newOutcome, type Outcome } from "./outcome.ts";
import { treeLayout } from "./tree.ts";
import { OtherBytes, writeBlob } from "./write-blob.ts";
import { writeLink } from "./write-link.ts";

/** Files that are converted at once. */
const parallel = 8;
/** Bytes up to which a blob may be serverless-registry's pointer to another repository's: a key, and no more. */
const longestPointer = 1024;

/**
 * Turns a copy of serverless-registry's bucket in the folder `from` into distribution's storage tree below `to`,
 * for `import`. May be repeated. Its referrers, uploads and collection marks are passed over: adoption makes
 * referrers anew from the manifests.
 */
export async function convertBucket(
  from: string,
  to: string,
  show: (outcome: Outcome) => void,
): Promise<Outcome> {
  const outcome = newOutcome();
  const names: string[] = [];
  for await (const name of filesBelow(from, "")) names.push(name);
  await mapBounded(names, parallel, async (name) => {
    await convertFile(from, to, name, outcome);
    show(outcome);
  });
  return outcome;
}

async function* filesBelow(root: string, folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(join(root, folder))) {
    const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(root, name);
    else yield name;
  }
}

async function convertFile(from: string, to: string, name: string, outcome: Outcome): Promise<void> {
  const groups = /^(?<name>.+)\/(?<kind>blobs|manifests)\/(?<reference>[^/]+)$/.exec(name)?.groups;
  const repository = tryParseRepositoryName(groups?.name ?? "");
  const reference = groups?.reference ?? "";
  const digest = tryParseDigest(reference);
  try {
    if (repository !== undefined && groups?.kind === "manifests") {
      await convertManifest(join(from, name), to, repository, reference, outcome);
    } else if (repository !== undefined && digest !== undefined) {
      await convertBlob(join(from, name), to, repository, digest, outcome);
    } else if (!isPassedOver(name)) {
      outcome.notes.push(`stray: ${name}`);
    }
  } catch (error) {
    if (!(error instanceof OtherBytes)) throw error;
    outcome.notes.push(`other bytes than its digest says: ${name}`);
  }
}

function isPassedOver(name: string): boolean {
  return /(?:^|\/)(?:_referrers|uploads|insertion|gc)\/|^[0-9a-f-]{36}[^/]*$/.test(name);
}

async function convertBlob(
  path: string,
  to: string,
  name: RepositoryName,
  digest: Digest,
  outcome: Outcome,
): Promise<void> {
  const { size } = await stat(path);
  // The blob that a pointer leads to is converted where it lies.
  if (!(await isPointer(path, digest, size))) {
    const present = await stat(join(to, treeLayout.blobData(digest))).catch(() => undefined);
    if (present?.size !== size) {
      await writeBlob(to, digest, createReadStream(path));
      outcome.bytes += size;
    }
  }
  await link(to, treeLayout.layerLink(name, digest), digest, outcome);
}

async function isPointer(path: string, digest: Digest, size: number): Promise<boolean> {
  if (size > longestPointer) return false;
  const bytes = new Uint8Array(await readFile(path));
  const isTheBlob = (await digestOf(bytes, "sha256")) === digest;
  return !isTheBlob && new TextDecoder().decode(bytes).endsWith(`/blobs/${digest}`);
}

async function convertManifest(
  path: string,
  to: string,
  name: RepositoryName,
  reference: string,
  outcome: Outcome,
): Promise<void> {
  const bytes = new Uint8Array(await readFile(path));
  const digest = await digestOf(bytes, "sha256");
  const tag = tryParseTag(reference);
  if (tag === undefined && reference !== digest) throw new OtherBytes(reference);
  await writeBlob(
    to,
    digest,
    (async function* () {
      yield bytes;
    })(),
  );
  await link(to, treeLayout.revisionLink(name, digest), digest, outcome);
  if (tag === undefined) return;
  await link(to, treeLayout.tagIndexLink(name, tag, digest), digest, outcome);
  await link(to, treeLayout.currentLink(name, tag), digest, outcome);
}

async function link(to: string, name: string, digest: Digest, outcome: Outcome): Promise<void> {
  outcome[(await writeLink(to, name, digest)) ? "copied" : "present"]++;
}
