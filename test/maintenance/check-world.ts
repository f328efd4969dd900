import type { CheckOptions } from "../../src/maintenance/check/checker.ts";
import type { Finding } from "../../src/maintenance/check/finding.ts";
import { type CheckSummary, checkBucket } from "../../src/maintenance/check/run.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { parseRepositoryName, type RepositoryName, type Tag } from "../../src/oci/name.ts";
import { Layout } from "../../src/storage/layout.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  indexOf,
  pushBlob,
  pushImage,
  putManifest,
  type TestBlob,
  type TestManifest,
} from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

export const layout = new Layout();
export const app: RepositoryName = parseRepositoryName("app");
const minute = 60_000;

/** A registry in which everything fits together, and that nobody has written to for a while. */
export interface CheckWorld {
  readonly world: TestRegistry;
  readonly client: Client;
  /** Tagged a and a2; an index of it is tagged x, and a referrer of it is untagged. */
  readonly image: TestManifest;
  readonly index: TestManifest;
  readonly referrer: TestManifest;
  readonly layer: TestBlob;
}

export async function createCheckWorld(): Promise<CheckWorld> {
  const world = createTestRegistry();
  const client = world.client("client");
  const image = await pushImage(client, "app", "a", "image");
  await expectStatus(putManifest(client, "app", "a2", image), 201);
  const index = await indexOf([image]);
  await expectStatus(putManifest(client, "app", "x", index), 201);
  const config = await blobOf("signature");
  await expectStatus(pushBlob(client, "app", config), 201);
  const { digest, mediaType, bytes } = image;
  const referrer = await imageOf(config, [], { subject: { digest, mediaType, size: bytes.byteLength } });
  await expectStatus(putManifest(client, "app", referrer.digest, referrer), 201);
  await pushImage(client, "app/below", "b", "another repository");
  await pushImage(client, "zoo", "z", "yet another");
  await pushImage(client, "app", "gone", "removed");
  await expectStatus(client.ask("DELETE /v2/app/manifests/gone"), 202);
  world.clock.advance(10 * minute);
  return { world, client, image, index, referrer, layer: await blobOf("layer of image") };
}

/** Runs a check; its findings in the order of their making. */
export async function check(
  { world }: CheckWorld,
  options: Partial<CheckOptions> = {},
): Promise<{ readonly findings: readonly Finding[]; readonly summary: CheckSummary }> {
  const findings: Finding[] = [];
  const { store } = world.client("check").registry;
  const summary = await checkBucket(store, { repair: false, ...options }, (finding) =>
    findings.push(finding),
  );
  return { findings, summary };
}

/** What somebody does to the bucket behind everybody's back. */
export class Vandal {
  readonly #world: CheckWorld;

  constructor(world: CheckWorld) {
    this.#world = world;
  }

  async remove(key: string): Promise<void> {
    await this.#bucket.delete(key);
  }

  async write(key: string, body: string, customMetadata: Record<string, string> = {}): Promise<void> {
    await this.#bucket.put(key, body, { customMetadata });
  }

  /** Writes an object again with other metadata, or without. */
  async relabel(
    key: string,
    change: (metadata: Record<string, string>) => Record<string, string>,
  ): Promise<void> {
    const object = await this.#bucket.get(key);
    if (object === null) throw new Error(`${key} is not there`);
    await this.#bucket.put(key, await object.arrayBuffer(), {
      customMetadata: change(object.customMetadata ?? {}),
    });
  }

  async writeRecord(tag: string, metadata: object): Promise<void> {
    await this.#world.world.kv.actor("vandal").put(`strong:app:${tag}`, "", { metadata });
  }

  get #bucket() {
    return this.#world.world.r2.actor("vandal");
  }
}

export const register = (tag: string) => layout.tag(app, tag as Tag);
export const currentLink = (tag: string) => layout.currentLink(app, tag as Tag);
export const tagged = (digest: Digest, tag: string) => layout.tagged(app, digest, tag as Tag);
