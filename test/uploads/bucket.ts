import { expect } from "vitest";
import type { Key } from "../../src/storage/key.ts";
import { Layout } from "../../src/storage/layout.ts";
import type { StoredObject } from "../doubles/r2-object.ts";
import type { TestRegistry } from "../support/registry.ts";

const layout = new Layout();

/** What the bucket holds, each key as the layout reads it. A key that the layout does not know is an error. */
export function contents(world: TestRegistry): readonly (readonly [Key, StoredObject])[] {
  return [...world.r2.store.objects()].map((object) => {
    const key = layout.parse(object.key);
    if (key === undefined) throw new Error(`nobody's key: ${object.key}`);
    return [key, object] as const;
  });
}

/** How many keys of each kind there are; that garbage collection is to visit a repository is not of the upload. */
export function kinds(world: TestRegistry): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [{ kind }] of contents(world)) {
    if (kind !== "gcRepository") counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** What the bucket has of upload sessions: segments and proofs. */
export function segments(world: TestRegistry): readonly StoredObject[] {
  return contents(world)
    .filter(([{ kind }]) => kind === "segment" || kind === "proof")
    .map(([, object]) => object);
}

/**
 * Whatever is linked is there and claimed; whatever is not linked is of a kind that garbage collection and the
 * purge of uploads look for; and no R2 multipart upload is open.
 */
export function expectSound(world: TestRegistry): void {
  const all = contents(world);
  const present = new Set(all.map(([, object]) => object.key));
  for (const [key, object] of all) {
    if (key.kind === "layerLink" && object.customMetadata.tombstone === undefined) {
      expect(present).toContain(layout.blobData(key.digest));
      expect(present).toContain(layout.owner(key.digest, key.name));
    }
  }
  const swept = ["blobData", "owner", "segment", "proof"];
  const kept = ["layerLink", "uploadKey", "gcRepository"];
  const known = [...swept, ...kept];
  expect(all.map(([{ kind }]) => kind).filter((kind) => !known.includes(kind))).toEqual([]);
  const count = (kind: string) => world.gate.trace.filter((operation) => operation.kind === kind).length;
  expect(count("createMultipartUpload")).toBeLessThanOrEqual(count("complete") + count("abort"));
}
