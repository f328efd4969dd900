import type { Digest } from "../../oci/digest.ts";
import { type Manifest, manifestOf } from "../../oci/manifest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import type { Reference } from "../../oci/reference.ts";
import { referrerDescriptor } from "../../oci/referrer.ts";
import type { Key } from "../../storage/key.ts";
import { type Link, linkOf, readLink } from "../../storage/link.ts";
import { listedReferrer, putReferrer, unlistReferrer } from "../../storage/referrer-entry.ts";
import type { Store } from "../../storage/store.ts";
import type { Checker } from "./checker.ts";
import { checkData } from "./data.ts";
import { isForeign } from "./foreign.ts";
import { checkClaim } from "./links.ts";

type RevisionKey = Extract<Key, { kind: "revisionLink" }>;
type ReferrerKey = Extract<Key, { kind: "referrer" }>;

/** Rounds in which a referrer entry is brought in line with a manifest that others delete and push meanwhile. */
const rounds = 5;

/** Looks at a revision link: data, claim, what the manifest refers to, and the list of its subject's referrers. */
export async function checkRevision(checker: Checker, object: R2Object, key: RevisionKey): Promise<void> {
  const { store, options } = checker;
  const { name, digest } = key;
  if (linkOf(object, digest) === undefined && (await isForeign(checker, object, key))) return;
  const link = await readLink(store, object.key, digest);
  if (link.target === undefined) return;
  const data = await store.bucket.get(store.layout.blobData(link.target));
  if (data === null) {
    if (!(await isStill(store, object.key, digest, link))) return;
    await checker.find({ kind: "manifest without data", name, digest });
    return;
  }
  const bytes = new Uint8Array(await data.arrayBuffer());
  await checkClaim(checker, object.key, name, link.target);
  if (options.name !== undefined) await checkData(checker, link.target);
  const manifest = manifestOf(bytes);
  if (manifest === undefined) {
    await checker.find({ kind: "not a manifest", name, digest });
    return;
  }
  await checkReferences(checker, name, digest, manifest, () => isStill(store, object.key, digest, link));
  await checkListing(checker, name, digest, manifest, bytes.byteLength, link);
}

/** Looks at an entry among the referrers of a subject. */
export async function checkReferrer(checker: Checker, object: R2Object, key: ReferrerKey): Promise<void> {
  const { store } = checker;
  const { name, subject, digest } = key;
  const { tombstone, generation } = object.customMetadata ?? {};
  if (tombstone !== undefined) return;
  if (generation === undefined) {
    await checker.find({ kind: "unreadable", key: object.key });
    return;
  }
  const revision = await readLink(store, store.layout.revisionLink(name, digest), digest);
  // Of another life: the look at the revision has seen to it.
  if (revision.target !== undefined) return;
  await checker.find({ kind: "dead referrer", name, digest, subject }, () =>
    unlistReferrer(store, name, subject, digest),
  );
}

async function checkReferences(
  checker: Checker,
  name: RepositoryName,
  digest: Digest,
  manifest: Manifest,
  isAlive: () => Promise<boolean>,
): Promise<void> {
  for (const reference of manifest.references) {
    if (!reference.required || (await exists(checker.store, name, reference))) continue;
    // The manifest may have been deleted meanwhile, and then what it refers to.
    if (!(await isAlive())) return;
    await checker.find({ kind: "missing reference", name, digest, reference: reference.digest });
  }
}

async function exists(store: Store, name: RepositoryName, { kind, digest }: Reference): Promise<boolean> {
  const { layout } = store;
  const key = kind === "blob" ? layout.layerLink(name, digest) : layout.revisionLink(name, digest);
  return (await readLink(store, key, digest)).target !== undefined;
}

async function checkListing(
  checker: Checker,
  name: RepositoryName,
  digest: Digest,
  manifest: Manifest,
  size: number,
  link: Link,
): Promise<void> {
  const { store } = checker;
  const subject = manifest.subject?.digest;
  if (subject === undefined) return;
  const listed = await listedReferrer(store, name, subject, digest);
  if (listed === link.generation) return;
  if (!(await isStill(store, store.layout.revisionLink(name, digest), digest, link))) return;
  const descriptor = referrerDescriptor(manifest, digest, size);
  await checker.find({ kind: "missing referrer", name, digest, subject }, () =>
    list(store, name, digest, subject, descriptor),
  );
}

/** Lists a manifest in the life that it has, or takes it off if it has none any more. */
async function list(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  subject: Digest,
  descriptor: ReturnType<typeof referrerDescriptor>,
): Promise<void> {
  const key = store.layout.revisionLink(name, digest);
  for (let round = 0; round < rounds; round++) {
    const { target, generation } = await readLink(store, key, digest);
    if (target === undefined) return unlistReferrer(store, name, subject, digest);
    if ((await listedReferrer(store, name, subject, digest)) === generation) return;
    await putReferrer(store, name, digest, { subject, descriptor, generation });
  }
  throw new Error("the manifest is being written by others");
}

async function isStill(store: Store, key: string, digest: Digest, link: Link): Promise<boolean> {
  const now = await readLink(store, key, digest);
  return now.target !== undefined && now.generation === link.generation;
}
