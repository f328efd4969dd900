import { tagSetEvent } from "../events/tag-event.ts";
import type { Digest } from "../oci/digest.ts";
import { asOptional } from "../oci/reference.ts";
import { referrerOf } from "../oci/referrer.ts";
import { putManifest } from "../storage/manifest-put.ts";
import { readTag } from "../storage/tag-register.ts";
import type { TagRequest } from "../storage/tag-set.ts";
import { fetchManifest } from "../upstream/fetch-manifest.ts";
import type { Step } from "./blob.ts";
import { readKept } from "./kept.ts";
import { TurnOver } from "./turn.ts";

/**
 * Stores the image's manifests, each after those that it refers to, and at last sets its tags: until then nobody
 * sees anything of it by name.
 * @throws UpstreamError, TurnOver; RegistryError MANIFEST_BLOB_UNKNOWN (400) where garbage collection has taken what
 *   was brought; what putManifest throws.
 */
export async function finish(step: Step): Promise<void> {
  const { held, turn } = step;
  const { manifests, root } = held.job;
  // The last time that a manifest stands in the list comes after all that refer to it.
  const ordered = [...new Set(manifests.toReversed())];
  for (const digest of ordered.slice(held.job.stored)) {
    turn.check();
    await store(step, digest, digest === root ? await tagRequests(step) : []);
    held.change({ stored: held.job.stored + 1 });
    turn.finished();
  }
}

async function store(
  { importer, held, turn, repository }: Step,
  digest: Digest,
  tags: readonly TagRequest[],
) {
  const { announce } = importer;
  const { name } = held.job;
  const { bytes, manifest } =
    (await readKept(importer.store, digest)) ??
    (await turn.request(() => fetchManifest(importer.client, repository, digest, importer.rules)));
  const { mediaType, references } = manifest;
  const target = { digest, mediaType, size: bytes.byteLength };
  await putManifest(importer.store, {
    name,
    digest,
    bytes,
    mediaType,
    references: importer.acceptsMissing ? references.map(asOptional) : references,
    referrer: referrerOf(manifest, digest, bytes.byteLength),
    mayBeMarked: importer.mayBeMarked(name),
    tags,
    onTagSet: (tag, previous) => announce(...tagSetEvent(name, tag, target, previous)),
  });
  for (const tag of tags.length > 0 ? tags.map((request) => request.tag) : [undefined]) {
    announce({ type: "push", kind: "manifest", repository: name, ...target, tag });
  }
}

/**
 * The tags, each under the condition that nobody has written it since before the first try, or that it is set already.
 * So a step that was thought dead cannot take a tag back that somebody has moved since, nor one that he has removed.
 */
async function tagRequests({ importer, held, turn }: Step): Promise<readonly TagRequest[]> {
  const { name, tags, root } = held.job;
  if (held.job.expected === undefined) {
    const expected: (string | null)[] = [];
    for (const tag of tags) expected.push((await readTag(importer.store, name, tag)).version ?? null);
    held.change({ expected });
  }
  // The last time that the step finds out that it was cancelled.
  if (!(await held.save())) {
    turn.stop();
    throw new TurnOver();
  }
  const { expected = [] } = held.job;
  return tags.map((tag, index) => ({
    tag,
    condition: (current, version) => current === root || (version ?? null) === expected[index],
    immutable: importer.isImmutable(name, tag),
  }));
}
