import { type FileHandle, mkdtemp, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { ImageSource } from "../content.ts";
import { isUncompressedLayer } from "../media-types.ts";
import type { Memory } from "../memory.ts";
import { dockerArchiveSource, isDockerArchive } from "./docker-archive.ts";
import { findEngine, saveImage } from "./engine.ts";
import { type FileTree, folderTree, tarTree } from "./file-tree.ts";
import { type Choice, isLayout, layoutSource, readLayout } from "./layout.ts";
import { FileSlice } from "./slice.ts";

/** What is to be pushed, and how. */
export interface SourceOptions extends Choice {
  /** Whether uncompressed layers of an archive are pushed as they are. */
  readonly uncompressed: boolean;
  readonly memory: Memory;
  /** Is told what takes long before the first blob. */
  readonly tell: (line: string) => void;
}

/**
 * Opens what the user calls an image: `-` for the standard input, `docker:NAME` or `podman:NAME` for an engine's,
 * else a folder with an OCI layout, a tar of such a folder, a docker-archive (either may be gzipped), or, where there
 * is no such file, the name of an image of the local engine.
 * @throws Error that says what was looked for.
 */
export async function openSource(image: string, options: SourceOptions): Promise<ImageSource> {
  const { memory, tell } = options;
  if (image === "-") return sourceIn(await spooled("the standard input", process.stdin, memory), options);
  const [, engine, name] = /^(docker|podman):(.+)$/.exec(image) ?? [];
  const info = engine === undefined ? await stat(image).catch(() => undefined) : undefined;
  if (info?.isDirectory()) return sourceIn(folderTree(image), options);
  if (info !== undefined) return sourceIn(await archiveTree(image, memory), options);
  const found = engine === undefined ? await findEngine(image) : { engine, name: name ?? "" };
  tell(`reading ${found.name} from ${found.engine}`);
  const saved = saveImage(found.engine, found.name);
  const [tree, ended] = await Promise.allSettled([
    spooled(`what ${found.engine} saved`, saved.output, memory),
    saved.ended,
  ]);
  // An engine that fails leaves a broken archive, but it knows why.
  if (ended.status === "rejected") throw ended.reason;
  if (tree.status === "rejected") throw tree.reason;
  return sourceIn(tree.value, options);
}

async function sourceIn(tree: FileTree, options: SourceOptions): Promise<ImageSource> {
  try {
    return await imageIn(tree, options);
  } catch (error) {
    await tree.close();
    throw error;
  }
}

async function imageIn(tree: FileTree, options: SourceOptions): Promise<ImageSource> {
  const isArchive = await isDockerArchive(tree);
  const hasLayout = await isLayout(tree);
  if (!isArchive && !hasLayout) {
    throw new Error(
      `${tree.name} is neither an OCI layout (no index.json) nor a docker-archive (no manifest.json)`,
    );
  }
  if (!isArchive) return layoutSource(await readLayout(tree, options));
  if (hasLayout) {
    // docker writes both into one tar. With its own image store the layout is made up on the way, its layers without
    // compression; with containerd's it is what was pulled or built.
    const layout = await readLayout(tree, options);
    const isMadeUp = layout.content.blobs.some(({ mediaType }) => isUncompressedLayer(mediaType));
    if (!isMadeUp || options.uncompressed) return layoutSource(layout);
  }
  return dockerArchiveSource(tree, options);
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);

async function archiveTree(path: string, memory: Memory): Promise<FileTree> {
  const handle = await open(path);
  const { buffer } = await handle.read(Buffer.alloc(gzipMagic.length), 0, gzipMagic.length, 0);
  if (!buffer.equals(gzipMagic)) return tarTree(path, handle);
  const { size } = await handle.stat();
  try {
    return await spooled(path, Readable.from(FileSlice.within(handle, 0, size).read()), memory);
  } finally {
    await handle.close();
  }
}

/** Keeps what comes in a file without a name, which is gone with this process, and reads that as a tar. */
async function spooled(name: string, incoming: Readable, memory: Memory): Promise<FileTree> {
  const folder = await mkdtemp(join(memory.spool, "incoming-"));
  let handle: FileHandle;
  try {
    handle = await open(join(folder, "archive.tar"), "wx+", 0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
  await pipeline(incoming, unzipped, async (pieces: AsyncIterable<Uint8Array>) => {
    for await (const piece of pieces) await handle.appendFile(piece);
  });
  return tarTree(name, handle);
}

/** What comes, gunzipped if it is a gzip. */
async function* unzipped(incoming: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = incoming[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  while (start.length < gzipMagic.length) {
    const { value, done } = await pieces.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  async function* all() {
    yield start;
    yield* { [Symbol.asyncIterator]: () => pieces };
  }
  const isGzip = start.subarray(0, gzipMagic.length).equals(gzipMagic);
  yield* isGzip ? Readable.from(all()).compose(createGunzip()) : all();
}
