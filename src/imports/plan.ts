import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { checkClass } from "../oci/repository-class.ts";
import { claim } from "../storage/claim.ts";
import { putDataIfAbsent } from "../storage/data.ts";
import { readTag } from "../storage/tag-register.ts";
import { refuse } from "../storage/tag-set.ts";
import { type FetchedManifest, fetchManifest } from "../upstream/fetch-manifest.ts";
import type { ReferrersPage } from "../upstream/listings.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import type { Step } from "./blob.ts";
import type { Job, PlannedBlob } from "./job.ts";
import { readKept } from "./kept.ts";

/** Manifests and blobs of one image at most: the job's record names each. */
const mostManifests = 1000;
const mostBlobs = 3000;
/** Pages of a list of referrers at most. */
const mostPages = 10;

/**
 * Reads the image's manifests, and remembers what has to be brought. Their bytes are kept under their digests, so
 * that an upstream that counts them is asked for each once; a manifest of theirs they become at the end.
 * @throws UpstreamError, TurnOver; RegistryError for what may not be stored in the repository.
 */
export async function plan(step: Step): Promise<void> {
  const { importer, held, turn, repository } = step;
  if (held.job.root === undefined) {
    const { reference } = held.job.from;
    const root = await turn.request(() =>
      fetchManifest(importer.client, repository, reference, importer.rules),
    );
    await refuseImmutable(step, root.digest);
    await keep(step, root, { root: root.digest });
  }
  do await readUnread(step);
  while (await findReferrers(step));
}

async function readUnread(step: Step): Promise<void> {
  const { held, turn } = step;
  for (;;) {
    const digest = held.job.unread.at(-1);
    if (digest === undefined) return;
    turn.check();
    const unread = held.job.unread.slice(0, -1);
    const known = await readKnown(step, digest);
    const read = known ?? (await fetchPresent(step, digest));
    if (read === undefined) held.change({ unread, absent: held.job.absent + 1 });
    else if (known !== undefined) remember(step, read, { unread });
    else await keep(step, read, { unread });
    turn.finished();
  }
}

/** A manifest that stands elsewhere in the image too, and was read there. */
async function readKnown({ importer, held }: Step, digest: Digest): Promise<FetchedManifest | undefined> {
  return held.job.manifests.includes(digest) ? readKept(importer.store, digest) : undefined;
}

/** Asks for the referrers of one more manifest, if they are wanted; false once all were asked for. */
async function findReferrers({ importer, held, turn, repository }: Step): Promise<boolean> {
  const { manifests, listed, referrers } = held.job;
  const subject = manifests[listed];
  if (!referrers || subject === undefined) return false;
  if (manifests.indexOf(subject) < listed) {
    held.change({ listed: listed + 1 });
    return true;
  }
  turn.check();
  const found: Digest[] = [];
  let next: URLSearchParams | undefined = new URLSearchParams();
  for (let pages = 0; next !== undefined && pages < mostPages; pages++) {
    const query: URLSearchParams = next;
    const page: ReferrersPage = await turn.request(() =>
      importer.listings.referrers(repository, subject, query),
    );
    found.push(...page.items.map(({ digest }) => digest));
    next = page.next;
  }
  const unread = [...new Set(found)].filter((digest) => !manifests.includes(digest));
  refuseTooMany(manifests.length + unread.length, held.job.blobs.length);
  held.change({ listed: listed + 1, unread, listedReferrers: [...held.job.listedReferrers, ...unread] });
  return true;
}

/** A child or a referrer, or undefined where the image may do without it. */
async function fetchPresent(step: Step, digest: Digest): Promise<FetchedManifest | undefined> {
  const { importer, held, turn, repository } = step;
  try {
    return await turn.request(() => fetchManifest(importer.client, repository, digest, importer.rules));
  } catch (error) {
    const isMissing = error instanceof UpstreamError && error.fault === "missing";
    if (isMissing && (importer.acceptsMissing || held.job.listedReferrers.includes(digest))) return undefined;
    throw error;
  }
}

/** Keeps what the upstream gave, then remembers it. @param change of the job besides. */
async function keep(step: Step, fetched: FetchedManifest, change: Partial<Job>): Promise<void> {
  const { importer, held } = step;
  const { digest, bytes, manifest } = fetched;
  checkClass(manifest, importer.repositoryClasses, held.job.classes);
  await claim(importer.store, digest, held.job.name);
  await putDataIfAbsent(importer.store, digest, bytes);
  remember(step, fetched, change);
}

/** Remembers what the manifest refers to, after it. @param change of the job besides. */
function remember({ held }: Step, { digest, manifest }: FetchedManifest, change: Partial<Job>): void {
  const job = { ...held.job, ...change };
  const children = manifest.references.filter(({ kind }) => kind === "manifest");
  const blobs = withBlobs(job.blobs, blobsOf(manifest));
  const manifests = [...job.manifests, digest];
  const unread = [...job.unread, ...children.map((child) => child.digest)];
  refuseTooMany(manifests.length + unread.length, blobs.length);
  held.change({ ...change, manifests, unread, blobs });
}

/** All blobs, each once: one that a manifest needs is needed, though another one does without it. */
function withBlobs(blobs: readonly PlannedBlob[], more: readonly PlannedBlob[]): PlannedBlob[] {
  const all = new Map(blobs.map((blob) => [blob.digest, blob]));
  for (const blob of more) {
    const known = all.get(blob.digest);
    all.set(blob.digest, known ? { ...known, optional: known.optional && blob.optional } : blob);
  }
  return [...all.values()];
}

function refuseTooMany(manifests: number, blobs: number): void {
  if (manifests <= mostManifests && blobs <= mostBlobs) return;
  throw new RegistryError("UNSUPPORTED", {
    status: 400,
    message: `an image of more than ${mostManifests} manifests or ${mostBlobs} blobs is not imported`,
  });
}

function blobsOf(manifest: Manifest): readonly PlannedBlob[] {
  const descriptors = manifest.kind === "index" ? manifest.manifests : [manifest.config, ...manifest.layers];
  const sizes = new Map(descriptors.map((descriptor) => [descriptor?.digest, descriptor?.size ?? 0]));
  return manifest.references
    .filter(({ kind }) => kind === "blob")
    .map(({ digest, required }) => ({
      digest,
      size: sizes.get(digest) ?? 0,
      optional: !required,
      bytes: 0,
      done: false,
    }));
}

/** Says at the beginning what the last write would say. */
async function refuseImmutable({ importer, held }: Step, digest: Digest): Promise<void> {
  const { store, isImmutable } = importer;
  const { name, tags } = held.job;
  for (const tag of tags.filter((each) => isImmutable(name, each))) {
    const state = await readTag(store, name, tag);
    await refuse(store, name, { tag, immutable: true }, { digest, generation: undefined }, state);
  }
}
