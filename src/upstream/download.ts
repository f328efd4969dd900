import { algorithmOf, type Digest, encodedOf, toHex } from "../oci/digest.ts";
import { inTime } from "./in-time.ts";
import type { ReaderSide } from "./reader-side.ts";
import { unreachable } from "./upstream-error.ts";

/** Bytes of a piece at most, and those that are waited for unless the blob ends: less would cost more time. */
const pieceSize = 256 * 1024;
const leastPiece = 32 * 1024;
/** Milliseconds for which an upstream may send less than that. */
const idleLimit = 30_000;
/** Milliseconds that a download goes on for the bucket alone: the platform ends it at 30 seconds. */
const limitWithoutReader = 25_000;

/** What a download is of. */
export interface Expected {
  readonly digest: Digest;
  /** Bytes; undefined if the upstream does not say. */
  readonly size: number | undefined;
}

export interface DownloadOptions {
  /** Milliseconds in which a client has to take a piece, or the bucket goes on without him. */
  readonly readerPatience: number;
  /** Told of each piece. */
  readonly onPiece: () => void;
}

/**
 * Moves a blob from an upstream to a client, and to the bucket beside it, piece by piece: the next one is read when
 * both have this one, so that three pieces are in memory whatever their paces. A client who takes none for a while
 * is not waited for any more, and one who is gone ends nothing. The bucket may fail: the client gets his blob.
 *
 * The bytes are hashed on the way, and neither side gets to its end unless they are right.
 */
export class Download {
  readonly #source: ReadableStream;
  readonly #expected: Expected;
  readonly #reader: ReaderSide;
  readonly #options: DownloadOptions;
  #isBucketOpen = false;
  #onBucketLost: () => void = () => undefined;

  constructor(source: ReadableStream, expected: Expected, reader: ReaderSide, options: DownloadOptions) {
    this.#source = source;
    this.#expected = expected;
    this.#reader = reader;
    this.#options = options;
  }

  /**
   * Does it.
   * @param bucket takes the bytes too. It may fail, which is for the one who gave it to find out; without it, the
   *   client may take his time.
   * @throws UpstreamError 502 for bytes that are not the blob's, or do not come: the client's connection is broken.
   */
  async run(bucket?: WritableStream<Uint8Array>): Promise<void> {
    const source = this.#source.getReader({ mode: "byob" });
    const writer = bucket?.getWriter();
    try {
      await this.#move(source, writer);
      this.#reader.finish();
    } catch (error) {
      await Promise.all([source.cancel(error).catch(() => undefined), this.#reader.breakOff(error)]);
      throw error;
    } finally {
      writer?.releaseLock();
    }
  }

  /** Says that the bucket takes no more. A put that fails early need not break the stream that it was to read. */
  loseBucket(): void {
    this.#isBucketOpen = false;
    this.#onBucketLost();
  }

  /** Lets go of a blob that came to the bucket otherwise. */
  async cancel(): Promise<void> {
    await this.#source.cancel().catch(() => undefined);
  }

  async #move(
    source: ReadableStreamBYOBReader,
    writer: WritableStreamDefaultWriter<Uint8Array> | undefined,
  ): Promise<void> {
    const reader = this.#reader;
    const { digest, size } = this.#expected;
    const { readerPatience, onPiece } = this.#options;
    const hash = new crypto.DigestStream(algorithmOf(digest) === "sha256" ? "SHA-256" : "SHA-512");
    // Awaited at the end; a failure before that must not count as unhandled.
    hash.digest.catch(() => undefined);
    const hasher = hash.getWriter();
    this.#isBucketOpen = writer !== undefined;
    let aloneSince: number | undefined;
    let moved = 0;
    let free: ArrayBuffer | undefined;
    for (;;) {
      const piece = await readPiece(source, free ?? new ArrayBuffer(pieceSize));
      if (piece === undefined) break;
      moved += piece.byteLength;
      const toReader = reader.offer(piece, this.#isBucketOpen ? readerPatience : undefined);
      const toBucket = writer && this.#give(writer, piece);
      const [unused] = await Promise.all([toReader, toBucket, hasher.write(piece)]);
      free = unused?.buffer;
      if (reader.pace !== "along" && !this.#isBucketOpen) throw unreachable("nobody takes the blob any more");
      if (reader.pace === "gone") aloneSince ??= Date.now();
      if (aloneSince !== undefined && Date.now() - aloneSince > limitWithoutReader) {
        throw unreachable("too slow for a client who is gone");
      }
      onPiece();
    }
    await hasher.close();
    const isRight = toHex(await hash.digest) === encodedOf(digest) && (size === undefined || size === moved);
    if (!isRight) throw unreachable("a blob of another digest or size");
  }

  async #give(writer: WritableStreamDefaultWriter<Uint8Array>, piece: Uint8Array): Promise<void> {
    if (!this.#isBucketOpen) return;
    const lost = new Promise<void>((resolve) => {
      this.#onBucketLost = resolve;
    });
    const writing = writer.write(piece).catch(() => {
      this.#isBucketOpen = false;
    });
    await Promise.race([writing, lost]);
  }
}

/** @returns undefined at the end. @throws UpstreamError 502 if it breaks off, or nothing comes for too long. */
async function readPiece(
  source: ReadableStreamBYOBReader,
  memory: ArrayBuffer,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reading = source.readAtLeast(leastPiece, new Uint8Array(memory, 0, pieceSize));
  try {
    if (!(await inTime(reading, idleLimit))) throw new Error("nothing comes");
    const { value } = await reading;
    return value === undefined || value.byteLength === 0 ? undefined : (value as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    throw unreachable(cause);
  }
}
