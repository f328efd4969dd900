import { type Digest, digestOf } from "../src/oci/digest.ts";
import { ociManifest } from "../src/oci/media-type.ts";
import { parseRepositoryName, type RepositoryName, type Tag } from "../src/oci/name.ts";
import { Layout } from "../src/storage/layout.ts";
import { liveLink } from "../src/storage/link.ts";
import type { Store } from "../src/storage/store.ts";
import { swapTag } from "../src/storage/tag-register.ts";
import { createDoubles } from "../test/doubles/doubles.ts";
import type { Gate } from "../test/doubles/gate.ts";

/** How many tags name the digest that is deleted. */
export const onDigest = 10;

/** A repository of very many tags, as Skerry keeps it and distribution finds it. */
export interface TagWorld {
  readonly store: Store;
  readonly gate: Gate;
  readonly name: RepositoryName;
  /** Named by ten tags, which are spread over all. */
  readonly digest: Digest;
  readonly tags: number;
  /** Puts back what a run has removed. */
  restore(): void;
}

export async function createTagWorld(tags: number): Promise<TagWorld> {
  const { gate, clock, r2 } = createDoubles({ r2: { pageWithMetadata: 1000 } });
  const layout = new Layout();
  const store: Store = {
    bucket: r2.actor("client"),
    tagRecords: undefined,
    layout,
    clock,
    concurrency: 6,
  };
  const name = parseRepositoryName("team/app");
  const wanted = await putManifest(store, name, "wanted");
  const other = await putManifest(store, name, "other");
  for (let index = 0; index < tags; index++) {
    const tag = `build-${String(index).padStart(5, "0")}` as Tag;
    await setTag(store, name, tag, index % (tags / onDigest) === 0 ? wanted : other);
  }
  gate.trace.length = 0;
  const objects = [...r2.store.objects()];
  return { store, gate, name, digest: wanted, tags, restore: () => r2.store.load(objects) };
}

async function putManifest({ bucket, layout }: Store, name: RepositoryName, text: string): Promise<Digest> {
  const bytes = new TextEncoder().encode(text);
  const digest = await digestOf(new Uint8Array(bytes), "sha256");
  const link = liveLink({ digest, size: bytes.byteLength, mediaType: ociManifest, generation: "1" });
  await bucket.put(layout.blobData(digest), bytes);
  await bucket.put(layout.revisionLink(name, digest), link.body, { customMetadata: link.metadata });
  return digest;
}

async function setTag(store: Store, name: RepositoryName, tag: Tag, digest: Digest): Promise<void> {
  const { bucket, layout } = store;
  const target = { digest, mediaType: ociManifest, size: 5, generation: "1" };
  await bucket.put(layout.tagged(name, digest, tag), "");
  await swapTag(store, name, tag, { version: undefined, at: 0, history: [] }, target);
  await bucket.put(layout.currentLink(name, tag), digest);
}
