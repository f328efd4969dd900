import { expect, it } from "vitest";
import type { Importer } from "../../src/imports/importer.ts";
import { counted } from "../doubles/rounds.ts";
import { blobOf, expectStatus, imageOf, indexOf, pushBlob, putManifest } from "../support/content.ts";
import type { World } from "../upstream/unit/world.ts";
import { begin, createImportWorld, pushWide, step } from "./world.ts";

/** Operations after which a step begins nothing more, and those that what it has begun may still take. */
const operations = 60;
const margin = 60;
const allowance: Importer["allowance"] = { time: 20_000, requests: 20, operations };

/** The operations of each step of an import, until it is done. */
async function steps(world: World, id: string): Promise<readonly number[]> {
  const all: number[] = [];
  for (let count = 0; count < 100; count++) {
    const { A, B, kv, result } = await counted(world.edge.gate, () => step(world.client, id, { allowance }));
    all.push(A + B + kv);
    if (result?.state !== "open") {
      expect(result).toMatchObject({ state: "done" });
      return all;
    }
  }
  throw new Error("the import does not end");
}

it("takes as many steps as its operations allow for blobs that were pulled before", async () => {
  const world = createImportWorld();
  const image = await pushWide(world, 100);
  await expectStatus(world.client.ask("GET /v2/up/team/app/manifests/1"), 200);
  const { layers, config } = JSON.parse(new TextDecoder().decode(image.bytes));
  for (const { digest } of [config, ...layers])
    await expectStatus(world.client.ask(`GET /v2/up/team/app/blobs/${digest}`), 200);
  const id = await begin(world);
  // The last one puts the manifest, whose references are looked at in one go.
  expect(Math.max(...(await steps(world, id)))).toBeLessThan(operations + margin + layers.length);
});

it("takes as many steps as its operations allow for manifests that are kept", async () => {
  const world = createImportWorld();
  const config = await blobOf("{}");
  await expectStatus(pushBlob(world.origin, "team/app", config), 201);
  const images = await Promise.all(
    Array.from({ length: 30 }, (_, at) => imageOf(config, [], { annotations: { at: `${at}` } })),
  );
  for (const image of images)
    await expectStatus(putManifest(world.origin, "team/app", image.digest, image), 201);
  await expectStatus(putManifest(world.origin, "team/app", "1", await indexOf(images)), 201);
  const id = await begin(world);
  expect(Math.max(...(await steps(world, id)))).toBeLessThan(operations + margin + images.length);
});
