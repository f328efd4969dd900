import { type FileHandle, open } from "node:fs/promises";

/** Bytes that are read at once. */
const pieceSize = 256 * 1024;

/** A part of a file, read from disk each time. */
export class FileSlice {
  readonly #handle: FileHandle;
  readonly #offset: number;
  readonly #ownsHandle: boolean;
  /** Bytes. */
  readonly size: number;

  private constructor(handle: FileHandle, offset: number, size: number, ownsHandle: boolean) {
    this.#handle = handle;
    this.#offset = offset;
    this.size = size;
    this.#ownsHandle = ownsHandle;
  }

  /** A whole file, which stays open until `close`. */
  static async ofFile(path: string): Promise<FileSlice> {
    const handle = await open(path);
    const { size } = await handle.stat();
    return new FileSlice(handle, 0, size, true);
  }

  /** `size` bytes from `offset` of a file that somebody else closes. */
  static within(handle: FileHandle, offset: number, size: number): FileSlice {
    return new FileSlice(handle, offset, size, false);
  }

  /** The bytes from `start` up to, and without, `end`. @throws Error if the file has become shorter. */
  async *read(start = 0, end = this.size): AsyncGenerator<Uint8Array> {
    for (let position = start; position < end; ) {
      const piece = Buffer.allocUnsafe(Math.min(pieceSize, end - position));
      const { bytesRead } = await this.#handle.read(piece, 0, piece.length, this.#offset + position);
      if (bytesRead === 0) throw new Error("the file has become shorter while it was read");
      yield piece.subarray(0, bytesRead);
      position += bytesRead;
    }
  }

  /** All of it. @throws Error if it has more bytes than `limit`. */
  async bytes(limit: number): Promise<Buffer<ArrayBuffer>> {
    if (this.size > limit) throw new Error(`${this.size} bytes, where at most ${limit} can be right`);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.read()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async close(): Promise<void> {
    if (this.#ownsHandle) await this.#handle.close();
  }
}
