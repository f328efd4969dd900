import { type Digest, digestOf, tryParseDigest } from "../../../src/oci/digest.ts";
import { maxManifestSize } from "../../../src/oci/manifest.ts";
import { ociImageConfig, ociManifest } from "../../../src/oci/media-type.ts";
import type { BlobId, ImageSource, PendingBlob, SourceBlob, SourceManifest } from "../content.ts";
import { layerTypes } from "../media-types.ts";
import type { Memory } from "../memory.ts";
import { compressLayer, discardCompressed, hashFile } from "./compress.ts";
import type { FileTree } from "./file-tree.ts";
import { choiceProblem } from "./layout.ts";
import type { FileSlice } from "./slice.ts";

/** An entry of manifest.json, which `docker save` and `podman save` write. */
interface ArchiveImage {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers: readonly string[];
}

/** What is wanted of an archive. */
export interface ArchiveOptions {
  readonly name: string | undefined;
  /** Whether layers are pushed as they are. */
  readonly uncompressed: boolean;
  readonly memory: Memory;
}

interface Layer {
  readonly file: FileSlice;
  readonly diffId: Digest;
  /** What its bytes are. */
  readonly kind: keyof typeof layerTypes;
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Whether the files are a docker-archive. */
export async function isDockerArchive(tree: FileTree): Promise<boolean> {
  const file = await tree.file("manifest.json");
  await file?.close();
  return file !== undefined;
}

/**
 * The image of a docker-archive, with the bytes of its configuration kept. Archives have no manifest as registries
 * know it, so an OCI manifest is made.
 * @throws Error for an archive that lacks something, and for a name that names none or several of its images.
 */
export async function dockerArchiveSource(tree: FileTree, options: ArchiveOptions): Promise<ImageSource> {
  const image = chooseImage(
    tree.name,
    await readJson<readonly ArchiveImage[]>(tree, "manifest.json"),
    options.name,
  );
  const config = await (await fileOf(tree, image.Config)).bytes(maxManifestSize);
  const configId = { digest: await digestOf(config, "sha256"), size: config.length };
  const layers = await layersOf(tree, image, config);
  const unique = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
  const typeOf = ({ kind }: Layer) => layerTypes[kind === "tar" && !options.uncompressed ? "gzip" : kind];
  const pending = unique.map((layer) =>
    pendingLayer(layer, `layer ${layers.indexOf(layer) + 1}/${layers.length}`, options),
  );
  return {
    blobs: [...(await Promise.all(pending)), pendingBytes("config", config, configId)],
    async manifests(blobs) {
      const pushed = new Map(unique.map(({ diffId }, index) => [diffId, blobs[index]]));
      const descriptors = layers.map((layer) => ({ mediaType: typeOf(layer), ...pushed.get(layer.diffId) }));
      return [await makeManifest(configId, descriptors)];
    },
    close: () => tree.close(),
  };
}

async function makeManifest(config: BlobId, layers: readonly object[]): Promise<SourceManifest> {
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: ociImageConfig, digest: config.digest, size: config.size },
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { mediaType: ociManifest, digest: await digestOf(bytes, "sha256"), bytes };
}

function pendingBytes(label: string, bytes: Buffer, known: BlobId): PendingBlob {
  return {
    label,
    known,
    open: async () => ({
      ...known,
      read: async function* (start, end) {
        yield bytes.subarray(start, end);
      },
      release: async () => {},
    }),
  };
}

async function pendingLayer(
  { file, diffId, kind }: Layer,
  label: string,
  { uncompressed, memory }: ArchiveOptions,
): Promise<PendingBlob> {
  const asItIs = (digest: Digest): SourceBlob => ({
    digest,
    size: file.size,
    read: (start, end) => file.read(start, end),
    release: () => file.close(),
  });
  if (kind !== "tar") {
    return { label, known: undefined, open: async (advance) => asItIs(await hashFile(file, advance)) };
  }
  if (uncompressed) {
    return { label, known: { digest: diffId, size: file.size }, open: async () => asItIs(diffId) };
  }
  const known = await memory.compressed(diffId);
  return {
    label,
    known,
    open: (advance) => compressLayer(file, diffId, memory, advance),
    discard: () => discardCompressed(diffId, memory),
  };
}

function chooseImage(
  archive: string,
  images: readonly ArchiveImage[],
  name: string | undefined,
): ArchiveImage {
  const tagsOf = ({ RepoTags }: ArchiveImage) => RepoTags ?? [];
  const [only, ...others] =
    name === undefined ? images : images.filter((image) => tagsOf(image).includes(name));
  if (only !== undefined && others.length === 0) return only;
  throw new Error(choiceProblem(archive, name, only === undefined, images.flatMap(tagsOf)));
}

async function layersOf(tree: FileTree, image: ArchiveImage, config: Buffer): Promise<readonly Layer[]> {
  const { rootfs } = JSON.parse(config.toString()) as { rootfs?: { diff_ids?: readonly string[] } };
  const diffIds = (rootfs?.diff_ids ?? []).map(tryParseDigest);
  if (diffIds.length !== image.Layers.length) {
    throw new Error(
      `${tree.name} has ${image.Layers.length} layers, and its configuration ${diffIds.length}`,
    );
  }
  return Promise.all(
    image.Layers.map(async (path, index) => {
      const diffId = diffIds[index];
      if (diffId === undefined)
        throw new Error(`${tree.name}: diff_ids[${index}] of its configuration is no digest`);
      const file = await fileOf(tree, path);
      return { file, diffId, kind: await kindOf(file) };
    }),
  );
}

async function kindOf(file: FileSlice): Promise<Layer["kind"]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of file.read(0, Math.min(file.size, zstdMagic.length))) pieces.push(piece);
  const start = Buffer.concat(pieces);
  if (start.subarray(0, gzipMagic.length).equals(gzipMagic)) return "gzip";
  return start.equals(zstdMagic) ? "zstd" : "tar";
}

async function fileOf(tree: FileTree, path: string): Promise<FileSlice> {
  const file = await tree.file(path);
  if (file === undefined) throw new Error(`${tree.name} lacks ${path}, which its manifest.json names`);
  return file;
}

async function readJson<Value>(tree: FileTree, path: string): Promise<Value> {
  const file = await fileOf(tree, path);
  try {
    return JSON.parse((await file.bytes(maxManifestSize)).toString()) as Value;
  } finally {
    await file.close();
  }
}
