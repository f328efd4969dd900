import assert from "node:assert/strict";
import { join } from "node:path";
import { startServer } from "../clients/harness/server.ts";
import { collectGarbage, startDistribution, treeBelow } from "./distribution.ts";
import { assertGone, compareLists, deleteManifest, forget, note, pullAll } from "./registry.ts";
import { copy, skerry, type World } from "./world.ts";

/** Pushes to Skerry what is handed over beside what was taken over. */
export async function pushToSkerry(world: World): Promise<void> {
  await world.checks.check("Skerry: images are pushed, tagged again and deleted", () => pushAndDelete(world));
}

/** What Skerry holds is handed to distribution as a storage tree. */
export async function toDistribution(world: World): Promise<void> {
  const { checks, holdings, fixtures } = world;
  const tree = join(world.dir, "to-distribution");
  await checks.check("export: writes the tree", async () => {
    assert.match(await skerry(world, "export", tree), /^[1-9][0-9]* copied .*, 0 left out$/m);
  });
  await checks.check("export: a second time copies nothing", async () => {
    assert.match(await skerry(world, "export", tree), /^0 copied /m);
  });
  const server = await startDistribution(world, treeBelow(tree));
  try {
    await checks.check("distribution: everything is pulled byte for byte", async () => {
      assert.ok((await pullAll(server.host, holdings)) > 40);
    });
    await checks.check("distribution: lists the same tags and repositories", () =>
      compareLists(server.host, holdings),
    );
    await checks.check("distribution: what was deleted in Skerry is not there", async () => {
      await assertGone(server.host, "new/deleted", fixtures.schema2.digest);
      await assertGone(server.host, "team/index", fixtures.index.digest);
    });
    await checks.check("distribution: deletes by digest, and takes a push", async () => {
      await deleteManifest(server.host, "new/app", fixtures.twelveLayers.digest);
      forget(holdings, "new/app", fixtures.twelveLayers.digest);
      await copy(world, `oci:${fixtures.index.layout}:v1`, `docker://${server.host}/new/app:pushed`);
      note(holdings, "new/app", "pushed", fixtures.index.digest);
      await compareLists(server.host, holdings);
    });
  } finally {
    await server.stop();
  }
  await checks.check(
    "distribution: its garbage collection runs through and spares what is tagged",
    async () => {
      assert.match(await collectGarbage(world, treeBelow(tree)), /blob eligible for deletion/);
      const again = await startDistribution(world, treeBelow(tree));
      try {
        await pullAll(again.host, holdings);
        await compareLists(again.host, holdings);
      } finally {
        await again.stop();
      }
    },
  );
}

async function pushAndDelete(world: World): Promise<void> {
  const { fixtures, holdings } = world;
  const server = await startServer(world.processes, world.state);
  try {
    const at = (reference: string) => `docker://${server.host}/${reference}`;
    await copy(world, `oci:${fixtures.twelveLayers.layout}:v1`, at("new/app:1"));
    await copy(world, at("new/app:1"), at("new/app:again"));
    for (const tag of ["1", "again"]) note(holdings, "new/app", tag, fixtures.twelveLayers.digest);
    await copy(world, `oci:${fixtures.busybox.layout}:v1`, at("new/app:kept"));
    note(holdings, "new/app", "kept", fixtures.busybox.digest);
    await copy(world, `dir:${fixtures.schema2.dir}`, at("new/deleted:1"));
    await copy(world, `oci:${fixtures.busybox.layout}:v1`, at("new/deleted:2"));
    note(holdings, "new/deleted", "2", fixtures.busybox.digest);
    await deleteManifest(server.host, "new/deleted", fixtures.schema2.digest);
    await compareLists(server.host, holdings);
  } finally {
    await server.stop();
  }
}
