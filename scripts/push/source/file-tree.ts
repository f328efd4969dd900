import { type FileHandle, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { FileSlice } from "./slice.ts";

/** Files by their names, in a folder or in a tar. */
export interface FileTree {
  /** For messages: where it is. */
  readonly name: string;
  /** The file, to be closed after use; undefined if there is none. `path` has slashes and is relative. */
  file(path: string): Promise<FileSlice | undefined>;
  close(): Promise<void>;
}

/** The files below a folder. */
export function folderTree(folder: string): FileTree {
  return {
    name: folder,
    async file(path) {
      const info = await stat(join(folder, path)).catch(() => undefined);
      return info?.isFile() ? FileSlice.ofFile(join(folder, path)) : undefined;
    },
    async close() {},
  };
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

/** Bytes of a tar's header, which stands before each file. */
const headerSize = 512;
/** Links that are followed from one to the next. */
const maxLinks = 8;

/**
 * The files of a tar, which is read once for their places.
 * @param handle is closed with the tree.
 * @throws Error for what is no tar, or one that breaks off.
 */
export async function tarTree(name: string, handle: FileHandle): Promise<FileTree> {
  const places = new Map<string, Place>();
  const links = new Map<string, string>();
  try {
    const { size } = await handle.stat();
    const tar = extract();
    const source = Readable.from(FileSlice.within(handle, 0, size).read());
    source.on("error", (error) => tar.destroy(error));
    // Its types know it as a stream of another library, whose streams Node's are piped into all the same.
    source.pipe(tar as unknown as NodeJS.WritableStream);
    for await (const entry of tar) {
      const { type, linkname, ...header } = entry.header;
      const path = normal(header.name);
      if (type === "symlink") links.set(path, normal(posix.join(posix.dirname(path), linkname)));
      else if (type === "link") links.set(path, normal(linkname));
      else if (type === "file") places.set(path, { offset: entry.offset + headerSize, size: header.size });
      entry.resume();
    }
  } catch (error) {
    await handle.close();
    throw new Error(`${name} is no tar that can be read: ${(error as Error).message}`);
  }
  return {
    name,
    async file(path) {
      let target = normal(path);
      for (let count = 0; count < maxLinks; count++) target = links.get(target) ?? target;
      const place = places.get(target);
      return place && FileSlice.within(handle, place.offset, place.size);
    },
    close: () => handle.close(),
  };
}

function normal(path: string): string {
  return posix.normalize(path).replace(/^(\.?\/)+/, "");
}
