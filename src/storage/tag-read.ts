import { hasDigest } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { type ManifestHead, readManifest, type StoredManifest } from "./manifests.ts";
import type { NearContent } from "./near-content.ts";
import type { Store } from "./store.ts";
import { isCarried, type TagRecord, type TagRecords } from "./tag-records.ts";
import { readTagHead, type TagHead, type TagTarget } from "./tag-register.ts";

/** A record is repaired only when the register is older than this: until then KV is merely catching up. */
const settledAfter = 2 * 60 * 1000;
/** One repair of a tag's record in this many milliseconds and isolate. */
const repairEvery = 60 * 1000;
/** So many tags are remembered as lately repaired; then the memory starts anew. */
const repairMemory = 1000;

/** What a tag names, and a way to its bytes that asks for nothing a second time. */
export interface ResolvedTag extends ManifestHead {
  /** The bytes; undefined if the manifest is gone: the tag is dead. */
  read(): Promise<StoredManifest | undefined>;
}

/** Reads tags, remembering for the isolate which records it has repaired. */
export class TagReader {
  readonly #repaired = new Map<string, number>();

  /** What the tag names, for an answer without a body: one read of R2. */
  async stat(store: Store, name: RepositoryName, tag: Tag): Promise<ManifestHead | undefined> {
    return (await readTagHead(store, name, tag)).target;
  }

  /**
   * What the tag names. Strong reading asks R2 and KV at once: where they agree the record carries the answer,
   * else R2 decides. Eventual reading believes the record. That a tag is not there is never taken from KV.
   */
  async resolve(near: NearContent, name: RepositoryName, tag: Tag): Promise<ResolvedTag | undefined> {
    const { store } = near;
    const records = store.tagRecords;
    if (records?.consistency === "eventual") {
      const record = await records.get(name, tag);
      if (record !== undefined) {
        if (records.isPastHalfLife(record, store.clock.now()))
          near.defer(this.#renew(store, records, name, tag));
        return resolved(near, name, record.target, record);
      }
    }
    const [head, record] = await Promise.all([
      readTagHead(store, name, tag),
      records?.consistency === "strong" ? records.get(name, tag) : undefined,
    ]);
    const { target } = head;
    const isRight = record !== undefined && target !== undefined && isSame(record.target, target);
    if (records !== undefined && !isRight && this.#shouldRepair(store, records, name, tag, head, record)) {
      near.defer(this.#renew(store, records, name, tag));
    }
    return target && resolved(near, name, target, isRight ? record : undefined);
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
    if (records.consistency === "strong" && now - head.at < settledAfter) return false;
    const key = `${name}:${tag}`;
    const last = this.#repaired.get(key);
    if (last !== undefined && now - last < repairEvery) return false;
    if (this.#repaired.size >= repairMemory) this.#repaired.clear();
    this.#repaired.set(key, now);
    return true;
  }

  async #renew(store: Store, records: TagRecords, name: RepositoryName, tag: Tag): Promise<void> {
    const { target } = await readTagHead(store, name, tag);
    if (target === undefined) return records.delete(name, tag);
    const bytes = isCarried(target.size)
      ? (await readManifest(store, name, target.digest, target.generation))?.bytes
      : undefined;
    await records.put(name, tag, target, bytes, store.clock.now());
  }
}

function isSame(record: TagTarget, target: TagTarget): boolean {
  return record.digest === target.digest && record.generation === target.generation;
}

function resolved(
  near: NearContent,
  name: RepositoryName,
  target: TagTarget,
  record: TagRecord | undefined,
): ResolvedTag {
  const { digest, mediaType, size, generation } = target;
  return {
    digest,
    mediaType,
    size,
    async read() {
      const carried = record?.bytes;
      if (carried !== undefined && (await hasDigest(carried, digest))) {
        return { digest, mediaType, size, generation, bytes: carried };
      }
      return near.manifest(name, digest, generation);
    },
  };
}
