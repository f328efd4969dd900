import type { TestBlob, TestManifest } from "../support/content.ts";
import { blobOf, expectStatus, imageOf, pushBlob, putManifest } from "../support/content.ts";
import type { Asker } from "../support/registry.ts";

/** What an image's configuration says, as image-spec has it. */
export interface TestConfig {
  readonly [field: string]: unknown;
}

/** Pushes an image with a real configuration: a layer for each of `layers`. */
export async function pushRealImage(
  client: Asker,
  name: string,
  reference: string | undefined,
  config: TestConfig,
  layers: readonly (string | TestBlob)[],
  more: object = {},
): Promise<TestManifest> {
  const blobs = await Promise.all(layers.map((each) => (typeof each === "string" ? blobOf(each) : each)));
  const configBlob = await blobOf(JSON.stringify({ os: "linux", architecture: "amd64", ...config }));
  const image = await imageOf(configBlob, blobs, more);
  for (const blob of [configBlob, ...blobs]) await expectStatus(pushBlob(client, name, blob), 201);
  await expectStatus(putManifest(client, name, reference ?? image.digest, image), 201);
  return image;
}
