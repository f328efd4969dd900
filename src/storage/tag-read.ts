import { hasDigest } from "../oci/digest.ts";
import { retryLater } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { readLegacyTag } from "./legacy-tags.ts";
import { type ManifestHead, type StoredManifest, statManifest } from "./manifests.ts";
import type { NearContent } from "./near-content.ts";
import { isSettled, RecordRepair } from "./record-repair.ts";
import type { Store } from "./store.ts";
import type { TagRecord, TagRecords } from "./tag-records.ts";
import { readTagHead, type TagHead, type TagTarget } from "./tag-register.ts";

/** How often a reader follows a tag that moves on, and whose manifest is deleted, before it asks to come back. */
const looks = 5;

/** Reads tags, remembering for the isolate which records it has repaired. */
export class TagReader {
  readonly #repair = new RecordRepair();

  /** What the tag names, for an answer without a body: one read of R2. */
  async stat(store: Store, name: RepositoryName, tag: Tag): Promise<ManifestHead | undefined> {
    const head = await readTagHead(store, name, tag);
    if (head.version !== undefined) return head.target;
    const legacy = await readLegacyTag(store, name, tag);
    return legacy && statManifest(store, name, legacy.digest);
  }

  /**
   * The manifest that the tag names. Strong reading asks R2 and KV at once: where they agree the record carries
   * the manifest, else R2 decides. Eventual reading believes the record. That a tag is not there is never taken
   * from KV.
   * @throws RegistryError 503 if tag and manifests change faster than they can be read.
   */
  async read(near: NearContent, name: RepositoryName, tag: Tag): Promise<StoredManifest | undefined> {
    const { store } = near;
    const records = store.tagRecords;
    if (records?.consistency === "eventual") {
      const believed = await this.#believe(near, records, name, tag);
      if (believed !== undefined) return believed;
    }
    const [head, record] = await Promise.all([
      readTagHead(store, name, tag),
      records?.consistency === "strong" ? records.get(name, tag) : undefined,
    ]);
    const isRight = record !== undefined && isSame(record, head);
    if (records !== undefined && !isRight && this.#shouldRepair(store, records, name, tag, head, record)) {
      near.defer(() => this.#repair.renew(store, records, name, tag));
    }
    const carried = isRight && head.target && (await carriedBy(record, head.target));
    return carried || followTag(near, name, tag, head);
  }

  /** What the record says, as long as its manifest is to be had: one that is gone is no proof of absence. */
  async #believe(
    near: NearContent,
    records: TagRecords,
    name: RepositoryName,
    tag: Tag,
  ): Promise<StoredManifest | undefined> {
    const record = await records.get(name, tag);
    if (record === undefined) return undefined;
    const { digest, generation } = record.target;
    const carried = await carriedBy(record, record.target);
    const manifest = carried ?? (await near.manifest(name, digest, generation));
    const now = near.store.clock.now();
    if (manifest && records.isPastHalfLife(record, now) && this.#repair.mayBegin(name, tag, now)) {
      near.defer(() => this.#repair.renew(near.store, records, name, tag));
    }
    return manifest;
  }

  #shouldRepair(
    store: Store,
    records: TagRecords,
    name: RepositoryName,
    tag: Tag,
    head: TagHead,
    record: TagRecord | undefined,
  ): boolean {
    if (head.target === undefined && record === undefined) return false;
    const now = store.clock.now();
    // Until then KV is merely catching up.
    if (records.consistency === "strong" && !isSettled(head, now)) return false;
    return this.#repair.mayBegin(name, tag, now);
  }
}

/**
 * Reads what the tag names. If that is gone although the tag was there, the tag is looked at again: it may have
 * moved on before its old manifest was deleted, and never have named nothing.
 */
async function followTag(
  near: NearContent,
  name: RepositoryName,
  tag: Tag,
  head: TagHead,
): Promise<StoredManifest | undefined> {
  const { store } = near;
  let current = head;
  for (let look = 0; look < looks; look++) {
    const { target, version } = current;
    const named = version === undefined ? await readLegacyTag(store, name, tag) : target;
    if (named === undefined) return undefined;
    const manifest = await near.manifest(name, named.digest, target?.generation);
    if (manifest !== undefined) return manifest;
    current = await readTagHead(store, name, tag);
    if (current.version === version) return undefined;
  }
  throw retryLater(1, "the tag is being written by others");
}

/** The manifest that the record carries, if its bytes are those of the target. */
async function carriedBy({ bytes }: TagRecord, target: TagTarget): Promise<StoredManifest | undefined> {
  if (bytes === undefined || !(await hasDigest(bytes, target.digest))) return undefined;
  return { ...target, bytes };
}

function isSame(record: TagRecord, { target }: TagHead): boolean {
  return record.target.digest === target?.digest && record.target.generation === target.generation;
}
