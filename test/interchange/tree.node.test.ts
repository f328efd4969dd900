import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuseCollisions } from "../../scripts/interchange/collisions.ts";
import { exportTree } from "../../scripts/interchange/export.ts";
import { folderSource } from "../../scripts/interchange/folder-source.ts";
import { importTree } from "../../scripts/interchange/import.ts";
import type { Outcome } from "../../scripts/interchange/outcome.ts";
import { runAdoptStep } from "../../src/maintenance/adopt.ts";
import { type Digest, digestFrom } from "../../src/oci/digest.ts";
import { parseRepositoryName, type Tag } from "../../src/oci/name.ts";
import { Layout } from "../../src/storage/layout.ts";
import { everyFault } from "../doubles/faults.ts";
import { blobOf, expectStatus, noise, pushImage, putManifest } from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

const tree = new Layout();
const app = parseRepositoryName("team/app");
const unlinked = digestFrom("sha256", "d".repeat(64));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skerry-tree-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Every file of the tree with its content. */
async function filesOf(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files
    .sort()
    .map(async (path) => [path.slice(root.length + 1), await readFile(path, "latin1")]);
  return Object.fromEntries(await Promise.all(read));
}

async function write(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

function storeOf(world: TestRegistry) {
  return world.client("copy").registry.store;
}

function exported(world: TestRegistry, root = folder): Promise<Outcome> {
  return exportTree(storeOf(world), root, () => undefined);
}

function imported(world: TestRegistry): Promise<Outcome> {
  return importTree(storeOf(world), folderSource(folder), () => undefined);
}

/** A registry with an image under two tags. */
async function createPushed(): Promise<{ world: TestRegistry; client: Client; digest: Digest }> {
  const world = createTestRegistry();
  const client = world.client();
  const image = await pushImage(client, "team/app", "1", "a");
  await expectStatus(putManifest(client, "team/app", "latest", image), 201);
  return { world, client, digest: image.digest };
}

describe("a tree that was exported", () => {
  it("holds data, links, tags and their index, and nothing else", async () => {
    const { world, digest } = await createPushed();
    expect(await exported(world)).toMatchObject({ copied: 10, present: 0, notes: [] });
    const files = await filesOf(folder);
    expect(Object.keys(files)).toHaveLength(10);
    for (const tag of ["1", "latest"] as Tag[]) {
      expect(files[tree.currentLink(app, tag)]).toBe(digest);
      expect(files[tree.tagIndexLink(app, tag, digest)]).toBe(digest);
    }
  });

  it("comes back by import, from a bucket with a prefix too, and is the same when exported again", async () => {
    const { world } = await createPushed();
    await exported(world);
    const other = createTestRegistry({ config: { keyPrefix: "some/where" } });
    expect(await imported(other)).toMatchObject({ copied: 10, notes: [] });
    expect((await runAdoptStep(storeOf(other), 1000)).counts).toMatchObject({
      layerLinks: 2,
      manifests: 1,
      tags: 2,
    });
    await expectStatus(other.client().ask("GET /v2/team/app/manifests/latest"), 200);
    const second = await mkdtemp(join(tmpdir(), "skerry-tree-"));
    try {
      await exported(other, second);
      expect(await filesOf(second)).toEqual(await filesOf(folder));
    } finally {
      await rm(second, { recursive: true });
    }
  });

  it("has nothing of what was deleted", async () => {
    const { world, client, digest } = await createPushed();
    await pushImage(client, "team/app", "2", "b");
    const layer = await blobOf("layer of a");
    await expectStatus(client.ask(`DELETE /v2/team/app/manifests/${digest}`), 202);
    await expectStatus(client.ask(`DELETE /v2/team/app/blobs/${layer.digest}`), 202);
    await exported(world);
    const names = Object.keys(await filesOf(folder)).filter((name) => name.startsWith(tree.repositories()));
    expect(names.filter((name) => name.includes("/tags/1/") || name.includes("/tags/latest/"))).toEqual([]);
    expect(names).not.toContain(tree.revisionLink(app, digest));
    expect(names).not.toContain(tree.layerLink(app, layer.digest));
  });

  it("is not written over bytes that are not those of their digest", async () => {
    const { world } = await createPushed();
    const blob = await blobOf("layer of a");
    await world.r2.actor("vandal").put(tree.blobData(blob.digest), "other bytes");
    const { notes } = await exported(world);
    expect(notes).toEqual([`other bytes than its digest says: ${blob.digest}`]);
    const files = Object.keys(await filesOf(folder));
    expect(files).not.toContain(tree.blobData(blob.digest));
    expect(files.filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("has tags that distribution wrote and nobody adopted", async () => {
    const { world, digest } = await createPushed();
    await exported(world);
    const other = createTestRegistry();
    await imported(other);
    await rm(join(folder, "docker"), { recursive: true });
    await exported(other);
    expect((await filesOf(folder))[tree.currentLink(app, "1" as Tag)]).toBe(digest);
  });
});

describe("import", () => {
  it("leaves out bytes that are not those of their digest, in one part and in several", async () => {
    const { world } = await createPushed();
    await exported(world);
    const big = await blobOf(noise(33 * 1024 * 1024));
    await write(tree.blobData(big.digest), new Uint8Array(big.bytes.byteLength));
    await write(tree.blobData((await blobOf("layer of a")).digest), "other bytes");
    const other = createTestRegistry();
    const { notes } = await imported(other);
    expect(notes.toSorted()).toEqual(
      [big.digest, (await blobOf("layer of a")).digest]
        .map((d) => `other bytes than its digest says: ${d}`)
        .sort(),
    );
    expect(await other.r2.actor("observer").head(tree.blobData(big.digest))).toBeNull();
  });

  it("takes large blobs in parts", async () => {
    const big = await blobOf(noise(33 * 1024 * 1024));
    await write(tree.blobData(big.digest), big.bytes);
    await write(tree.layerLink(app, big.digest), big.digest);
    const world = createTestRegistry();
    expect(await imported(world)).toMatchObject({ copied: 2, bytes: big.bytes.byteLength });
    const stored = await world.r2.actor("observer").get(tree.blobData(big.digest));
    expect(Buffer.from((await stored?.arrayBuffer()) ?? new ArrayBuffer()).equals(big.bytes)).toBe(true);
  });

  it("leaves out unreadable links and stray files, and passes over uploads and Skerry's records", async () => {
    const { world, digest } = await createPushed();
    await exported(world);
    await write(tree.layerLink(app, unlinked), "");
    await write(`${tree.repositories()}team/app/_manifests/stray`, "?");
    await write(`${tree.repositories()}team/app/_uploads/1/data`, "unfinished");
    await write(tree.tag(app, "1" as Tag), "a record of Skerry's");
    await write(tree.currentLink(app, "_uploads" as Tag), digest);
    const { copied, notes } = await imported(createTestRegistry());
    expect(copied).toBe(11);
    expect(notes.toSorted()).toEqual([
      `stray: ${tree.repositories()}team/app/_manifests/stray`,
      `unreadable: ${tree.layerLink(app, unlinked)}`,
    ]);
  });

  it("overwrites nothing: what the bucket says otherwise is named", async () => {
    const { world, client, digest } = await createPushed();
    await exported(world);
    const before = [...world.r2.store.objects()].map(({ key, version }) => [key, version]);
    expect(await imported(world)).toMatchObject({ copied: 2, present: 8, notes: [] });
    const after = [...world.r2.store.objects()].filter(({ key }) => !key.includes("/index/"));
    expect(after.map(({ key, version }) => [key, version])).toEqual(before);
    await expectStatus(client.ask(`DELETE /v2/team/app/manifests/${digest}`), 202);
    expect((await imported(world)).notes).toEqual([
      `the bucket says otherwise: ${tree.revisionLink(app, digest)}`,
    ]);
  });

  it("refuses a folder that holds no tree", async () => {
    await expect(imported(createTestRegistry())).rejects.toThrow("not the root of a storage tree");
  });

  it("may die at any operation: the next one completes it", async () => {
    const { world } = await createPushed();
    await exported(world);
    const whole = createTestRegistry();
    await imported(whole);
    const end = [...whole.r2.store.objects()].map(({ key }) => key);
    const runs = await everyFault({
      prepare: () => createTestRegistry(),
      flow: imported,
      check: async ({ world: hurt, operation, when }) => {
        expect((await imported(hurt)).notes).toEqual([]);
        expect(
          [...hurt.r2.store.objects()].map(({ key }) => key),
          `${when} ${operation}`,
        ).toEqual(end);
      },
    });
    expect(runs).toBeGreaterThan(20);
  });
});

describe("a folder that ignores case", () => {
  it("is refused when two tags differ in case alone", async () => {
    const { world, client, digest } = await createPushed();
    const ignores = async () => true;
    await refuseCollisions(storeOf(world), folder, ignores);
    const image = await expectStatus(client.ask(`GET /v2/team/app/manifests/${digest}`), 200);
    const bytes = new Uint8Array(await image.arrayBuffer());
    const mediaType = image.headers.get("Content-Type") ?? "";
    await expectStatus(putManifest(client, "team/app", "Latest", { bytes, mediaType, digest: digest }), 201);
    await expect(refuseCollisions(storeOf(world), folder, ignores)).rejects.toThrow(
      "team/app has the tags Latest and latest",
    );
    await refuseCollisions(storeOf(world), folder, async () => false);
  });
});
