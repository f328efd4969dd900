import type { Digest } from "../../src/oci/digest.ts";
import type { Key } from "../../src/storage/key.ts";
import { Layout } from "../../src/storage/layout.ts";
import type { Doubles } from "../doubles/doubles.ts";
import type { StoredObject } from "../doubles/r2-object.ts";
import { nameOf } from "./http.ts";

const layout = new Layout();
const decoder = new TextDecoder();

interface Tag {
  readonly state: string;
  readonly digest?: string;
  readonly generation?: string;
}

interface ManifestBlobs {
  readonly config?: { readonly digest: Digest };
  readonly layers?: readonly { readonly digest: Digest }[];
}

/**
 * What must hold in the bucket whatever happened, requests that died included: nothing that is live refers to
 * nothing, and whoever deletes an image finds the tags that name it.
 */
export function neverBroken({ r2 }: Doubles): readonly string[] {
  const bucket = new Contents(r2.store.objects());
  const complaints: string[] = [];
  const need = (key: string, why: string) => {
    if (!bucket.has(key)) complaints.push(why);
  };
  for (const { key, object } of bucket.entries) {
    if ((key.kind === "layerLink" || key.kind === "revisionLink") && isLive(object)) {
      const what = `${key.kind} of ${nameOf(key.digest)} in ${key.name}`;
      need(layout.blobData(key.digest), `${what} leads to no data`);
      need(layout.owner(key.digest, key.name), `${what} has no owner`);
      if (key.kind === "revisionLink") {
        need(layout.catalog(key.name), `${key.name} is not in the catalog`);
        for (const blob of bucket.blobsOf(key.digest)) {
          need(layout.blobData(blob), `${nameOf(key.digest)} needs ${nameOf(blob)}, which has no data`);
        }
      }
    }
    if (key.kind === "tag") {
      const { digest, generation } = bucket.tag(object);
      if (digest === undefined || !bucket.isOfLife(key.name, digest, generation)) continue;
      const entry = layout.taggedWith(key.name, digest as never) + key.tag;
      need(entry, `tag ${key.tag} names ${nameOf(digest)}, which does not know of it`);
    }
  }
  return complaints;
}

/**
 * What must hold besides once all is quiet and nobody died: every live tag names the present life of a live
 * image, and what is derived from registers (distribution's link, the record in KV, the list of referrers) says
 * what they say.
 * @param records whether the records in KV must agree too: nobody believes them without asking R2, so that after
 *   a crash they may wait for the next reader.
 */
export function settled({ r2, kv }: Doubles, records = true): readonly string[] {
  const bucket = new Contents(r2.store.objects());
  const complaints: string[] = [];
  const tags = new Map<string, Tag>();
  for (const { key, object } of bucket.entries) {
    if (key.kind === "tag") tags.set(`${key.name}:${key.tag}`, bucket.tag(object));
    if (key.kind === "referrer" && object.customMetadata.tombstone === undefined) {
      const { generation } = object.customMetadata;
      if (bucket.generation(key.name, key.digest) !== generation) {
        complaints.push(`the referrers of ${nameOf(key.subject)} name ${nameOf(key.digest)}, which is gone`);
      }
    }
    if (key.kind === "revisionLink" && isLive(object) && object.customMetadata.subject !== undefined) {
      const entry = layout.referrer(key.name, object.customMetadata.subject as never, key.digest);
      if (bucket.generationOf(entry) !== object.customMetadata.generation) {
        complaints.push(`${nameOf(key.digest)} is missing among the referrers of its subject`);
      }
    }
  }
  for (const [name, { digest, generation }] of tags) {
    const [repository = "", tag = ""] = name.split(":");
    if (digest !== undefined && !bucket.isOfLife(repository, digest, generation)) {
      complaints.push(`tag ${name} names a life of ${nameOf(digest)} that is over`);
    }
    const link = bucket.text(layout.currentLink(repository as never, tag as never));
    if (link !== digest) complaints.push(`current/link of ${name} says ${said(link)}, not ${said(digest)}`);
    const record = recordOf(kv.store.current(`strong:${name}`)?.metadata);
    if (records && (record?.digest !== digest || record?.generation !== generation)) {
      complaints.push(`the record of ${name} says ${said(record?.digest)}, not ${said(digest)}`);
    }
  }
  for (const { key } of bucket.entries) {
    if (key.kind === "currentLink" && !tags.has(`${key.name}:${key.tag}`)) {
      complaints.push(`current/link of ${key.name}:${key.tag} has no register`);
    }
  }
  return complaints;
}

function said(digest: string | undefined): string {
  return digest === undefined ? "nothing" : nameOf(digest);
}

function recordOf(metadata: string | undefined): Tag | undefined {
  return metadata === undefined ? undefined : (JSON.parse(metadata) as Tag);
}

function isLive(object: StoredObject | undefined): boolean {
  return object !== undefined && object.customMetadata.tombstone === undefined;
}

class Contents {
  readonly entries: readonly { readonly key: Key; readonly object: StoredObject }[];
  readonly #objects = new Map<string, StoredObject>();

  constructor(objects: Iterable<StoredObject>) {
    for (const object of objects) this.#objects.set(object.key, object);
    this.entries = [...this.#objects.values()].flatMap((object) => {
      const key = layout.parse(object.key);
      return key === undefined ? [] : [{ key, object }];
    });
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  text(key: string): string | undefined {
    const object = this.#objects.get(key);
    return object && decoder.decode(object.bytes);
  }

  tag(object: StoredObject): Tag {
    return JSON.parse(decoder.decode(object.bytes)) as Tag;
  }

  /** The blobs that a manifest refers to. */
  blobsOf(digest: Digest): readonly Digest[] {
    const manifest = JSON.parse(this.text(layout.blobData(digest)) ?? "{}") as ManifestBlobs;
    return [manifest.config, ...(manifest.layers ?? [])].flatMap((blob) => (blob ? [blob.digest] : []));
  }

  /** The generation that a live link or entry carries. */
  generationOf(key: string): string | undefined {
    const object = this.#objects.get(key);
    return isLive(object) ? (object?.customMetadata.generation ?? "") : undefined;
  }

  /** Whether a tag that was set against a generation is of the life of an image; distribution's links have none. */
  isOfLife(repository: string, digest: string, generation: string | undefined): boolean {
    const live = this.generation(repository, digest);
    return live !== undefined && (live === "" || live === generation);
  }

  /** The generation in which an image lives, undefined if it does not. */
  generation(repository: string, digest: string): string | undefined {
    return this.generationOf(layout.revisionLink(repository as never, digest as never));
  }
}
