import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { LayoutWriter } from "../clients/fixtures/layout.ts";
import { sha256 } from "../clients/harness/registry.ts";
import { noise } from "../support/content.ts";

/** Files of a tar by their names: content, or `-> target` for a symbolic link. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

/** A tar of these files, the same bytes each time. */
export async function tarOf(files: Files): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) {
    const header = { name, mtime: new Date(0) };
    if (typeof content === "string" && content.startsWith("-> ")) {
      tar.entry({ ...header, type: "symlink", linkname: content.slice(3) });
    } else {
      tar.entry(header, content);
    }
  }
  tar.finalize();
  return buffer(tar as unknown as AsyncIterable<Buffer>);
}

/** The tar of a layer with one file of `bytes` bytes that no compression makes smaller. */
export function layerTar(seed: number, bytes: number): Promise<Buffer> {
  return tarOf({ [`file-${seed}`]: noise(bytes, seed) });
}

/**
 * An OCI layout in `dir`, tagged `v1`: an index of two platforms that share all layers but the first.
 * @param sizes of the layers' files.
 * @returns the index's digest.
 */
export async function writeIndexLayout(
  dir: string,
  seed: number,
  sizes: readonly number[] = [300_000, 2000],
): Promise<string> {
  const writer = await LayoutWriter.create(dir);
  const layers = [];
  for (const [index, size] of sizes.entries()) {
    layers.push(await writer.layer(await layerTar(seed + index, size), index === 0 ? "stored" : "gzip"));
  }
  const amd64 = await writer.image({ os: "linux", architecture: "amd64" }, layers);
  const arm64 = await writer.image({ os: "linux", architecture: "arm64" }, layers.slice(1));
  const root = await writer.index([amd64, arm64]);
  await writer.finish(root, "v1");
  return root.digest;
}

/** The files below a folder. */
export async function filesBelow(dir: string): Promise<Record<string, Buffer>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(paths.sort().map(async (path) => [path.slice(dir.length + 1), await readFile(path)])),
  );
}

/** The files of a docker-archive as docker wrote it until version 24, the layers of equal content as links. */
export function dockerArchive(
  layers: readonly Buffer[],
  tags: readonly string[] = ["app:1"],
): Record<string, Buffer | string> {
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: layers.map((layer) => sha256(layer)) },
    }),
  );
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  const files: Record<string, Buffer | string> = {};
  layers.forEach((layer, index) => {
    const first = layers.findIndex((each) => each.equals(layer));
    files[`layer-${index}/layer.tar`] = first === index ? layer : `-> ../layer-${first}/layer.tar`;
  });
  files[configName] = config;
  const Layers = layers.map((_, index) => `layer-${index}/layer.tar`);
  files["manifest.json"] = Buffer.from(JSON.stringify([{ Config: configName, RepoTags: tags, Layers }]));
  return files;
}

/** Writes a file below a folder that may not be there yet. @returns its path. */
export async function put(dir: string, name: string, content: Uint8Array): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, name), content);
  return join(dir, name);
}
