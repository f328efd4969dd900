import { tryParseDigest } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { tagRecordKey } from "./layout.ts";
import type { KeyValue } from "./ports.ts";
import type { TagTarget } from "./tag-register.ts";

/** How a tag is read: `strong` asks R2 each time, `eventual` believes KV. */
export type TagConsistency = "strong" | "eventual";

/** Manifests up to this many bytes are carried by the record itself. */
const carried = 64 * 1024;
/** Seconds that a record lives where nothing checks it against R2. */
const eventualLifetime = 3600;

/** The near copy of a tag: what it names and, for manifests of ordinary size, the manifest's bytes. */
export interface TagRecord {
  readonly target: TagTarget;
  /** When the record was written; Unix time in milliseconds. */
  readonly at: number;
  /** undefined: the manifest is too large to be carried. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

interface Metadata {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly generation: string;
  readonly at: number;
}

/**
 * The tag link records in KV. They may be up to a minute old, lost or refused: no answer may rest on one alone
 * but where eventual reading was asked for, and no failure here fails a request.
 */
export class TagRecords {
  readonly #kv: KeyValue;
  readonly consistency: TagConsistency;

  constructor(kv: KeyValue, consistency: TagConsistency) {
    this.#kv = kv;
    this.consistency = consistency;
  }

  /** The same records by way of another binding. */
  through(wrap: (kv: KeyValue) => KeyValue): TagRecords {
    return new TagRecords(wrap(this.#kv), this.consistency);
  }

  /** The record of the tag; undefined if there is none, it cannot be read, or KV fails. */
  async get(name: RepositoryName, tag: Tag): Promise<TagRecord | undefined> {
    try {
      const key = tagRecordKey(this.consistency, name, tag);
      const { value, metadata } = await this.#kv.getWithMetadata<Metadata>(key, "arrayBuffer");
      const digest = tryParseDigest(metadata?.digest ?? "");
      if (value === null || metadata === null || digest === undefined) return undefined;
      const { mediaType, size, generation, at } = metadata;
      const bytes = value.byteLength === size ? new Uint8Array(value) : undefined;
      return { target: { digest, mediaType, size, generation }, at, ...(bytes && { bytes }) };
    } catch (error) {
      report("get", error);
      return undefined;
    }
  }

  /** Asks KV for a record that nobody writes. @throws what KV does. */
  async probe(): Promise<void> {
    await this.#kv.getWithMetadata("probe", "arrayBuffer");
  }

  async put(
    name: RepositoryName,
    tag: Tag,
    target: TagTarget,
    bytes: Uint8Array<ArrayBuffer> | undefined,
    now: number,
  ): Promise<void> {
    const value = bytes !== undefined && bytes.byteLength <= carried ? bytes : "";
    try {
      await this.#kv.put(tagRecordKey(this.consistency, name, tag), value, {
        metadata: { ...target, at: now } satisfies Metadata,
        ...(this.consistency === "eventual" && { expirationTtl: eventualLifetime }),
      });
    } catch (error) {
      report("put", error);
    }
  }

  async delete(name: RepositoryName, tag: Tag): Promise<void> {
    try {
      await this.#kv.delete(tagRecordKey(this.consistency, name, tag));
    } catch (error) {
      report("delete", error);
    }
  }

  /** Whether an eventually read record is so old that its use should renew it. */
  isPastHalfLife(record: TagRecord, now: number): boolean {
    return now - record.at > (eventualLifetime * 1000) / 2;
  }
}

/** Whether a record could carry a manifest of that many bytes. */
export function isCarried(size: number): boolean {
  return size <= carried;
}

function report(operation: string, error: unknown): void {
  console.warn(`tag record ${operation} failed: ${error instanceof Error ? error.message : String(error)}`);
}
