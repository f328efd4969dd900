import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { convertBucket } from "../../scripts/interchange/convert.ts";
import { folderSource } from "../../scripts/interchange/folder-source.ts";
import { importTree } from "../../scripts/interchange/import.ts";
import { runAdoptStep } from "../../src/maintenance/adopt.ts";
import { blobOf, expectStatus, imageOf } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skerry-convert-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function put(key: string, content: string | Uint8Array): Promise<void> {
  const path = join(folder, "bucket", key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

function convert() {
  return convertBucket(join(folder, "bucket"), join(folder, "tree"), () => undefined);
}

/** A bucket of serverless-registry's, made by hand: an image, its signature, and a mounted layer. */
async function makeBucket() {
  const config = await blobOf("{}");
  const layer = await blobOf("layer");
  const image = await imageOf(config, [layer]);
  const signature = await imageOf(config, [], {
    subject: { mediaType: image.mediaType, digest: image.digest, size: image.bytes.byteLength },
  });
  for (const blob of [config, layer]) await put(`team/app/blobs/${blob.digest}`, blob.bytes);
  for (const reference of ["1", "latest", image.digest])
    await put(`team/app/manifests/${reference}`, image.bytes);
  await put(`team/app/manifests/${signature.digest}`, signature.bytes);
  await put(`team/app/_referrers/${image.digest}/${signature.digest}`, "{}");
  // Mounted: a pointer in place of the bytes.
  await put(`other/blobs/${layer.digest}`, `team/app/blobs/${layer.digest}`);
  await put(`other/blobs/${config.digest}`, config.bytes);
  await put("other/manifests/1", image.bytes);
  await put("team/app/uploads/d0e5a0ee-5c2e-4f0a-8d8e-6a2f1c9d3b11", "state");
  await put("gc/last_update", "1");
  await put("d0e5a0ee-5c2e-4f0a-8d8e-6a2f1c9d3b11", "a temporary object");
  return { layer, image, signature };
}

it("a bucket of serverless-registry's is converted, imported and adopted", async () => {
  const { layer, image, signature } = await makeBucket();
  expect((await convert()).notes).toEqual([]);
  expect(await convert()).toMatchObject({ copied: 0, bytes: 0 });

  const world = createTestRegistry();
  const client = world.client();
  const { store } = client.registry;
  expect((await importTree(store, folderSource(join(folder, "tree")), () => undefined)).notes).toEqual([]);
  expect(await runAdoptStep(store, 10_000)).toMatchObject({ done: true, notes: [] });
  for (const path of ["team/app/manifests/1", "team/app/manifests/latest", "other/manifests/1"]) {
    const answer = await expectStatus(client.ask(`GET /v2/${path}`), 200);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(image.bytes);
  }
  const mounted = await expectStatus(client.ask(`GET /v2/other/blobs/${layer.digest}`), 200);
  expect(await mounted.text()).toBe("layer");
  const referrers = await client.ask(`GET /v2/team/app/referrers/${image.digest}`);
  expect(await referrers.json()).toMatchObject({ manifests: [{ digest: signature.digest }] });
});

it("what does not have the bytes that its name says is left out, and so is what is no key of its", async () => {
  await makeBucket();
  const { digest } = await blobOf("another");
  await put(`team/app/blobs/${digest}`, "damaged");
  await put(`team/app/manifests/${digest}`, "damaged");
  await put("notes.txt", "?");
  expect((await convert()).notes.toSorted()).toEqual([
    `other bytes than its digest says: team/app/blobs/${digest}`,
    `other bytes than its digest says: team/app/manifests/${digest}`,
    "stray: notes.txt",
  ]);
});
