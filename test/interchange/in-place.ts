import assert from "node:assert/strict";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { startServer } from "../clients/harness/server.ts";
import { collectGarbage, startDistribution } from "./distribution.ts";
import { assertGone, compareLists, deleteManifest, forget, pullAll } from "./registry.ts";
import { startS3Endpoint } from "./s3-endpoint.ts";
import { skerry, type World } from "./world.ts";

/**
 * distribution serves Skerry's bucket itself, by its S3 driver, and hands it back. Pushes are left out: the S3
 * endpoint of the local bucket answers 501 to ListMultipartUploads, with which that driver finds its uploads.
 */
export async function inPlace(world: World): Promise<void> {
  const { checks, holdings, fixtures } = world;
  const endpoint = await startS3Endpoint(world);
  try {
    const storage = { s3: endpoint.storage };
    const server = await startDistribution(world, storage);
    try {
      await checks.check("S3 driver on Skerry's bucket: everything is pulled byte for byte", async () => {
        assert.ok((await pullAll(server.host, holdings)) > 40);
      });
      await checks.check("S3 driver: lists every tag", async () => {
        const registry = new RegistryProbe(server.host);
        for (const [name, tags] of holdings) {
          // Tags of distribution's that are half written or half deleted are listed too.
          const listed = tags.size === 0 ? [] : await registry.tags(name);
          assert.deepEqual(
            [...tags.keys()].filter((tag) => !listed.includes(tag)),
            [],
          );
        }
      });
      await checks.check("S3 driver: deletes by digest", async () => {
        await deleteManifest(server.host, "new/app", fixtures.twelveLayers.digest);
        await assertGone(server.host, "new/app", "1");
        forget(holdings, "new/app", fixtures.twelveLayers.digest);
      });
    } finally {
      await server.stop();
    }
    await checks.check("S3 driver: garbage collection runs through", async () => {
      assert.match(await collectGarbage(world, storage), /blobs marked/);
    });
  } finally {
    await endpoint.stop();
  }
  await checks.check("Skerry: takes the bucket back", async () => {
    await skerry(world, "adopt", "--again");
    const server = await startServer(world.processes, world.state);
    try {
      await assertGone(server.host, "new/app", "1");
      await pullAll(server.host, holdings);
      await compareLists(server.host, holdings);
    } finally {
      await server.stop();
    }
  });
}
