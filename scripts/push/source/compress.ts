import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Digest, digestFrom, encodedOf } from "../../../src/oci/digest.ts";
import type { BlobId, SourceBlob } from "../content.ts";
import type { Memory } from "../memory.ts";
import { FileSlice } from "./slice.ts";

/** The one that docker uses. Node writes neither a name nor a time, so the same tar gives the same bytes. */
const gzipLevel = 6;
const pieceSize = 256 * 1024;

/**
 * The gzip of a layer's tar, as a file in the spool, where an interrupted run may have left it.
 * @param diffId the digest that the tar must have.
 * @throws Error for a tar with another digest.
 */
export async function compressLayer(
  tar: FileSlice,
  diffId: Digest,
  memory: Memory,
  advance: (bytes: number) => void,
): Promise<SourceBlob> {
  const path = spoolFile(diffId, memory);
  let blob = await memory.compressed(diffId);
  const left = await stat(path).catch(() => undefined);
  if (blob === undefined || left?.size !== blob.size) {
    blob = await compressTo(path, tar, diffId, advance);
    await memory.rememberCompressed(diffId, blob);
  }
  const file = await FileSlice.ofFile(path);
  return {
    ...blob,
    read: (start, end) => file.read(start, end),
    async release(isDone) {
      await file.close();
      if (isDone) await rm(path, { force: true });
    },
  };
}

/** Removes the gzip that an interrupted run may have left. */
export async function discardCompressed(diffId: Digest, memory: Memory): Promise<void> {
  await rm(spoolFile(diffId, memory), { force: true });
}

function spoolFile(diffId: Digest, memory: Memory): string {
  return join(memory.spool, `${encodedOf(diffId)}.tar.gz`);
}

async function compressTo(
  path: string,
  tar: FileSlice,
  diffId: Digest,
  advance: (bytes: number) => void,
): Promise<BlobId> {
  const draft = `${path}.${process.pid}`;
  const [before, after] = [createHash("sha256"), createHash("sha256")];
  let size = 0;
  try {
    await pipeline(
      Readable.from(tar.read()),
      watch((piece) => {
        before.update(piece);
        advance(piece.length);
      }),
      createGzip({ level: gzipLevel, chunkSize: pieceSize }),
      watch((piece) => {
        after.update(piece);
        size += piece.length;
      }),
      createWriteStream(draft, { flush: true, mode: 0o600 }),
    );
    if (digestFrom("sha256", before.digest("hex")) !== diffId) {
      throw new Error(
        `the archive is damaged: a layer has another digest than ${diffId}, which its configuration says`,
      );
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return { digest: digestFrom("sha256", after.digest("hex")), size };
}

/** Passes pieces on, and tells of each. */
function watch(tell: (piece: Uint8Array) => void) {
  return async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      tell(piece);
      yield piece;
    }
  };
}

/** The digest of a file as it is. */
export async function hashFile(file: FileSlice, advance: (bytes: number) => void): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const piece of file.read()) {
    hash.update(piece);
    advance(piece.length);
  }
  return digestFrom("sha256", hash.digest("hex"));
}
