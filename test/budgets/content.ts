import { blobOf, expectStatus, imageOf, pushBlob, type TestBlob } from "../support/content.ts";
import type { Client } from "../support/registry.ts";

/** What the images of the rows refer to: a configuration and layers. */
export const references = 12;

/** Pushes so many blobs. */
export async function blobs(client: Client, name: string, count: number): Promise<TestBlob[]> {
  const made = [];
  for (let index = 0; index < count; index++) made.push(await blobOf(`blob ${index}`));
  for (const blob of made) await expectStatus(pushBlob(client, name, blob), 201);
  return made;
}

/** An image of `references` blobs that are there, not pushed itself. */
export async function preparedImage(client: Client, more: object = {}) {
  const [config, ...layers] = await blobs(client, "app", references);
  if (config === undefined) throw new Error("no configuration");
  return imageOf(config, layers, more);
}
