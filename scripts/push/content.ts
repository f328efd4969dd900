import type { Digest } from "../../src/oci/digest.ts";

/** What is known of a blob. */
export interface BlobId {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A blob whose bytes can be read, from several places and more than once. */
export interface SourceBlob extends BlobId {
  /** The bytes from `start` up to, and without, `end`. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  /** Frees what reading took. @param isDone whether nobody will want to read it again. */
  release(isDone: boolean): Promise<void>;
}

/** A blob that is to be pushed. */
export interface PendingBlob {
  /** For the user: such as `layer 3/7` or `config`. */
  readonly label: string;
  /** What it will be, where that is known without reading it. */
  readonly known: BlobId | undefined;
  /**
   * Makes it ready to be read, which may mean to compress it.
   * @param advance is told of bytes that were worked through meanwhile.
   */
  open(advance: (bytes: number) => void): Promise<SourceBlob>;
  /** Removes what an interrupted run may have left to read from, where there is such a thing. */
  discard?(): Promise<void>;
}

/** A manifest that is to be pushed, byte for byte. */
export interface SourceManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** An image that is to be pushed, wherever it is. */
export interface ImageSource {
  readonly blobs: readonly PendingBlob[];
  /**
   * The manifests, children before their index, and what is to be tagged last.
   * @param blobs what `blobs` turned out to be, in the same order.
   */
  manifests(blobs: readonly BlobId[]): Promise<readonly SourceManifest[]>;
  /** Frees what the source holds. */
  close(): Promise<void>;
}
