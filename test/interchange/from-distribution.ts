import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { startServer } from "../clients/harness/server.ts";
import { collectGarbage, startDistribution, treeBelow } from "./distribution.ts";
import {
  assertGone,
  compareLists,
  deleteManifest,
  forget,
  note,
  pullAll,
  pushForeignLayer,
} from "./registry.ts";
import { copy, skerry, type World } from "./world.ts";

/** What distribution wrote is taken over. */
export async function fromDistribution(world: World): Promise<void> {
  const { checks } = world;
  const tree = join(world.dir, "from-distribution");
  let dangling: readonly string[] = [];
  await checks.check("distribution: images of every kind are pushed", () => pushAll(world, tree));
  await checks.check("distribution: its garbage collection leaves links to nothing", async () => {
    dangling = await leaveGarbage(world, tree);
    assert.ok(dangling.length > 0);
  });
  await checks.check("distribution: half-written tags, a damaged link and a stray file", () => damage(tree));
  await checks.check("import: copies the tree and names what is damaged", async () => {
    const output = await skerryThatLeavesOut(world, "import", tree);
    assert.match(output, /unreadable: .*\/tags\/empty\/current\/link/);
    assert.match(output, /stray: .*\/notes\.txt/);
    assert.match(output, /, 2 left out$/m);
  });
  await checks.check("import: a second time copies nothing", async () => {
    assert.match(await skerryThatLeavesOut(world, "import", tree), /^0 copied \(0\.0 MiB of blobs\), /m);
  });
  await checks.check("adopt: takes everything over and names what leads to nothing", async () => {
    const output = await skerry(world, "adopt");
    for (const digest of dangling)
      assert.ok(output.includes(`dangling: layer link ${digest} of team/garbage`));
    assert.ok(output.includes("dangling: tag lost of team/half"));
  });
  await checks.check("adopt: a second time finds nothing to do", async () => {
    assert.match(
      await skerry(world, "adopt", "--again"),
      /: 0 layer links, 0 manifests and 0 tags are taken over/,
    );
  });
  await serve(world);
}

/** Import and export end with status 2 when they leave something out, which is expected here. */
async function skerryThatLeavesOut(
  world: World,
  ...command: readonly [string, ...string[]]
): Promise<string> {
  return skerry(world, ...command).then(
    () => assert.fail("something was to be left out"),
    (error: Error) => {
      assert.match(error.message, /exit code 2/);
      return error.message;
    },
  );
}

async function pushAll(world: World, tree: string): Promise<void> {
  const { fixtures, holdings } = world;
  const server = await startDistribution(world, treeBelow(tree));
  try {
    const to = (reference: string) => `docker://${server.host}/${reference}`;
    for (const [name, fixture] of [
      ["team/busybox", fixtures.busybox],
      ["team/index", fixtures.index],
      ["team/zstd", fixtures.zstd],
      ["team/parts", fixtures.twoParts],
    ] as const) {
      for (const tag of ["v1", "latest"]) {
        await copy(world, `oci:${fixture.layout}:v1`, to(`${name}:${tag}`));
        note(holdings, name, tag, fixture.digest);
      }
    }
    await copy(world, `dir:${fixtures.schema2.dir}`, to("team/schema2:V1"));
    note(holdings, "team/schema2", "V1", fixtures.schema2.digest);
    await copy(world, `oci:${fixtures.index.layout}:v1`, to("team/list:1"), "--format", "v2s2");
    const registry = new RegistryProbe(server.host);
    note(holdings, "team/list", "1", await registry.digest("team/list", "1"));
    note(holdings, "team/foreign", "1", await pushForeignLayer(server.host, "team/foreign", "1"));
    // A tag that was moved leaves its earlier digest in the tag's index.
    await copy(world, `oci:${fixtures.zstd.layout}:v1`, to("team/busybox:moved"));
    await copy(world, `oci:${fixtures.busybox.layout}:v1`, to("team/busybox:moved"));
    note(holdings, "team/busybox", "moved", fixtures.busybox.digest);
    await copy(world, `oci:${fixtures.busybox.layout}:v1`, to("team/half:whole"));
    note(holdings, "team/half", "whole", fixtures.busybox.digest);
    await pullAll(server.host, holdings);
  } finally {
    await server.stop();
  }
}

/** Pushes an image, deletes it and collects. @returns the digests of blobs that are gone though they are linked. */
async function leaveGarbage(world: World, tree: string): Promise<readonly string[]> {
  const { fixtures, holdings } = world;
  const server = await startDistribution(world, treeBelow(tree));
  try {
    await copy(world, `oci:${fixtures.twelveLayers.layout}:v1`, `docker://${server.host}/team/garbage:gone`);
    await copy(world, `oci:${fixtures.busybox.layout}:v1`, `docker://${server.host}/team/garbage:kept`);
    note(holdings, "team/garbage", "kept", fixtures.busybox.digest);
    await deleteManifest(server.host, "team/garbage", fixtures.twelveLayers.digest);
  } finally {
    await server.stop();
  }
  const output = await collectGarbage(world, treeBelow(tree));
  return [...output.matchAll(/blob eligible for deletion: (sha256:[0-9a-f]{64})/g)]
    .map(([, digest = ""]) => digest)
    .filter((digest) => digest !== fixtures.twelveLayers.digest);
}

async function damage(tree: string): Promise<void> {
  const tags = join(tree, "docker/registry/v2/repositories/team/half/_manifests/tags");
  const link = await readFile(join(tags, "whole/current/link"), "utf8");
  const write = async (path: string, text: string) => {
    await mkdir(join(tags, path, ".."), { recursive: true });
    await writeFile(join(tags, path), text);
  };
  await write(`half/index/${link.replace(":", "/")}/link`, link);
  await write("empty/current/link", "");
  await write("lost/current/link", `sha256:${"0".repeat(64)}`);
  await write("whole/notes.txt", "a stray file");
}

async function serve(world: World): Promise<void> {
  const { checks, holdings, fixtures } = world;
  const server = await startServer(world.processes, world.state);
  try {
    await checks.check("Skerry: everything is pulled byte for byte", async () => {
      assert.ok((await pullAll(server.host, holdings)) > 40);
    });
    await checks.check("Skerry: lists the same tags and repositories, half-written tags left out", () =>
      compareLists(server.host, holdings),
    );
    await checks.check("Skerry: a manifest is deleted by digest, with its tags and no others", async () => {
      await deleteManifest(server.host, "team/index", fixtures.index.digest);
      await assertGone(server.host, "team/index", fixtures.index.digest);
      forget(holdings, "team/index", fixtures.index.digest);
      await compareLists(server.host, holdings);
    });
    await checks.check("Skerry: a tag is deleted, and another one moved", async () => {
      await deleteManifest(server.host, "team/busybox", "moved");
      note(holdings, "team/busybox", "moved", undefined);
      await copy(world, `oci:${fixtures.zstd.layout}:v1`, `docker://${server.host}/team/busybox:latest`);
      note(holdings, "team/busybox", "latest", fixtures.zstd.digest);
      await compareLists(server.host, holdings);
      await pullAll(server.host, holdings);
    });
  } finally {
    await server.stop();
  }
  await rm(join(world.dir, "from-distribution"), { recursive: true });
}
