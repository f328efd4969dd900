import type { Digest } from "../../oci/digest.ts";
import { manifestOf } from "../../oci/manifest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { type Link, linkOf } from "../../storage/link.ts";
import { unpackReferences } from "../../storage/packed-references.ts";
import { adoptRevision } from "../foreign-links.ts";
import { pages } from "../pages.ts";
import { type Collector, described } from "./collector.ts";
import { note } from "./report.ts";

/** The tombstone of a revision in a listing. */
export interface ListedTombstone {
  readonly digest: Digest;
  readonly link: Link;
  readonly object: R2Object;
}

/**
 * Calls `visit` with what each live manifest of the repository refers to. A listing tells most of it; manifests
 * with very many references are read, and those that distribution wrote are adopted on the way.
 * @returns false if what some manifest refers to cannot be known: then nothing of the repository may go.
 */
export async function visitReferences(
  collector: Collector,
  name: RepositoryName,
  visit: (references: readonly Digest[], digest: Digest) => void,
  visitTombstone?: (tombstone: ListedTombstone) => void,
): Promise<boolean> {
  const { store } = collector;
  let known = true;
  for await (const page of pages(store, store.layout.revisionLinks(name), { metadata: true })) {
    const found = await mapBounded(page, store.concurrency, async (object) => {
      const key = store.layout.parse(object.key);
      if (key?.kind !== "revisionLink") return "none";
      const { digest } = key;
      const link = linkOf(object, digest);
      if (link === undefined) return { digest, references: await foreignReferences(collector, name, digest) };
      if (link.target === undefined) {
        visitTombstone?.({ digest, link, object });
        return "none";
      }
      const packed = unpackReferences(link.packedReferences);
      return { digest, references: packed ?? (await storedReferences(collector, name, digest)) };
    });
    for (const manifest of found) {
      if (manifest === "none") continue;
      if (manifest.references === undefined) known = false;
      else visit(manifest.references, manifest.digest);
    }
  }
  return known;
}

/** What a manifest refers to, as its bytes tell; undefined, with a note, if they tell nothing. */
async function storedReferences(
  collector: Collector,
  name: RepositoryName,
  digest: Digest,
): Promise<readonly Digest[] | undefined> {
  const { store, report } = collector;
  const data = await store.bucket.get(store.layout.blobData(digest));
  const manifest = data && manifestOf(new Uint8Array(await data.arrayBuffer()));
  if (!manifest) note(report, described(name, "cannot tell what is referred to by manifest", digest));
  return manifest?.references.map((reference) => reference.digest);
}

async function foreignReferences(
  collector: Collector,
  name: RepositoryName,
  digest: Digest,
): Promise<readonly Digest[] | undefined> {
  const { store, report, dryRun } = collector;
  if (dryRun) {
    collector.foreign = true;
    return storedReferences(collector, name, digest);
  }
  const { adoption, manifest } = await adoptRevision(store, name, digest);
  if (adoption === "adopted") collector.foreign = true;
  if (adoption !== "adopted") note(report, described(name, `${adoption}: revision`, digest));
  // A link to nothing, or to no manifest, refers to nothing; one that cannot be read may.
  if (adoption === "unreadable") return undefined;
  return manifest?.references.map((reference) => reference.digest) ?? [];
}
