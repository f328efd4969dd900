import type { RepositoryName, Tag } from "../oci/name.ts";
import { readManifest } from "./manifests.ts";
import type { Store } from "./store.ts";
import { isCarried, type TagRecords } from "./tag-records.ts";
import { readTagHead, type TagHead, type TagTarget } from "./tag-register.ts";

/** Milliseconds after which a register's last change must have arrived in KV. */
const settledAfter = 2 * 60 * 1000;
/** One repair of a tag's record in this many milliseconds and isolate. */
const repairEvery = 60 * 1000;
/** So many tags are remembered as lately repaired; then the memory starts anew. */
const remembered = 1000;
/** Looks at a tag that goes on moving while its record is written, before that is left to who moves it. */
const looks = 5;

/** Whether a tag has been as it is for so long that its record in KV must have caught up. */
export function isSettled(head: TagHead, now: number): boolean {
  return now - head.at >= settledAfter;
}

/** Readers' repairs of the records in KV: thousands of readers at once must not become thousands of writers. */
export class RecordRepair {
  readonly #repaired = new Map<string, number>();

  /** Whether the record of a tag may be repaired now, which then counts as done. */
  mayBegin(name: RepositoryName, tag: Tag, now: number): boolean {
    const key = `${name}:${tag}`;
    const last = this.#repaired.get(key);
    if (last !== undefined && now - last < repairEvery) return false;
    if (this.#repaired.size >= remembered) this.#repaired.clear();
    this.#repaired.set(key, now);
    return true;
  }

  /**
   * Writes the record anew, as the register says. A record that is believed without asking R2 must not be that of
   * an older state, so there the register is looked at again.
   */
  async renew(store: Store, records: TagRecords, name: RepositoryName, tag: Tag): Promise<void> {
    let head = await readTagHead(store, name, tag);
    for (let look = 0; look < looks; look++) {
      await write(store, records, name, tag, head.target);
      if (records.consistency === "strong") return;
      const now = await readTagHead(store, name, tag);
      if (now.version === head.version) return;
      head = now;
    }
  }
}

async function write(
  store: Store,
  records: TagRecords,
  name: RepositoryName,
  tag: Tag,
  target: TagTarget | undefined,
): Promise<void> {
  if (target === undefined) return records.delete(name, tag);
  const bytes = isCarried(target.size)
    ? (await readManifest(store, name, target.digest, target.generation))?.bytes
    : undefined;
  await records.put(name, tag, target, bytes, store.clock.now());
}
