import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { openRange, statBlob } from "../storage/blobs.ts";
import { commitBlob } from "../storage/commit.ts";
import type { Content } from "../storage/content.ts";
import { fedStream } from "../storage/fed-stream.ts";
import { GuardWatch } from "../storage/guard.ts";
import { linkHeld } from "../storage/mount.ts";
import type { Store } from "../storage/store.ts";
import type { UpstreamClient, UpstreamRequest } from "./client.ts";
import { Download, type Expected } from "./download.ts";
import { type Flight, Flights } from "./flights.ts";
import { ReaderSide } from "./reader-side.ts";
import { discard } from "./transport.ts";
import { UpstreamError, unreachable } from "./upstream-error.ts";
import type { UpstreamRepository } from "./upstreams.ts";

/**
 * Milliseconds that a request waits for another one's download of the same blob, and between looks at it. To wait is
 * mostly quicker than to share the upstream's line with it; clients wait at least as long for an answer's head.
 */
const patience = 30_000;
const lookEvery = 50;
/** Milliseconds without a piece after which a download counts as dead. */
const deadAfter = 5000;
/** Milliseconds in which a client has to take a piece, or be left behind; less than `deadAfter`. */
const usualReaderPatience = 3000;

/** Where a blob goes that is pulled for the first time. */
export interface BlobPull {
  readonly store: Store;
  /** Bytes up to which one R2 put is used; above, a multipart upload. */
  readonly singlePutLimit: number;
  /** Keeps work going after the answer (`waitUntil`). */
  keep(work: Promise<unknown>): void;
}

/** A blob on its way to a client. */
export interface PulledBlob {
  /** Bytes; undefined if the upstream does not say. */
  readonly size: number | undefined;
  readonly body: ReadableStream;
}

/** Blobs of upstreams: those that are asked for are kept, and linked where the upstream gives them. */
export class UpstreamBlobs {
  readonly #client: UpstreamClient;
  readonly #readerPatience: number;
  readonly #flights = new Flights();

  /** @param readerPatience milliseconds in which a client has to take a piece for a download to wait for him. */
  constructor(client: UpstreamClient, readerPatience: number = usualReaderPatience) {
    this.#client = client;
    this.#readerPatience = readerPatience;
  }

  /** The size in bytes, without getting the blob; undefined if the upstream does not say. @throws UpstreamError */
  async stat(repository: UpstreamRepository, digest: Digest): Promise<number | undefined> {
    const response = await this.#client.open(repository, `blobs/${digest}`, requestOf(digest, "HEAD"));
    await discard(response);
    return response.ok ? lengthOf(response) : this.#statByGet(repository, digest);
  }

  /** The same from an upstream that refuses HEAD: it is asked for one byte, and not even that is read. */
  async #statByGet(repository: UpstreamRepository, digest: Digest): Promise<number | undefined> {
    const request = { ...requestOf(digest, "GET"), headers: { Range: "bytes=0-0" } };
    const response = await this.#client.open(repository, `blobs/${digest}`, request);
    await discard(response);
    if (response.status === 200) return lengthOf(response);
    const [, size] = /^bytes (?:0-0|\*)\/(\d{1,15})$/.exec(response.headers.get("Content-Range") ?? "") ?? [];
    // An empty blob has no first byte.
    if (response.status === 206 || (response.status === 416 && size === "0"))
      return size === undefined ? undefined : Number(size);
    throw unreachable(`a blob's first byte with status ${response.status}`);
  }

  /**
   * The upstream's 200 with the blob, not checked against the digest.
   * @param signal breaks the body off.
   * @throws UpstreamError
   */
  async get(repository: UpstreamRepository, digest: Digest, signal?: AbortSignal): Promise<Response> {
    const request = { ...requestOf(digest, "GET"), signal };
    const response = await this.#client.open(repository, `blobs/${digest}`, request);
    if (response.status === 200) return response;
    await discard(response);
    throw unreachable(`a blob with status ${response.status}`);
  }

  /**
   * The upstream's answer to a request for one range; neither kept nor checked against the digest.
   * @param signal breaks the body off.
   * @returns a 206 or a 416; undefined if the upstream serves no ranges.
   * @throws UpstreamError
   */
  async range(
    repository: UpstreamRepository,
    digest: Digest,
    range: string,
    signal?: AbortSignal,
  ): Promise<Response | undefined> {
    const request = { ...requestOf(digest, "GET"), headers: { Range: range }, signal };
    const response = await this.#client.open(repository, `blobs/${digest}`, request);
    if (response.status === 206 || response.status === 416) return response;
    await discard(response);
    if (response.ok) return undefined;
    throw unreachable(`a blob's range with status ${response.status}`);
  }

  /**
   * Pulls a blob that is not here: from the upstream to the client, and into the bucket beside it. Of requests of
   * one isolate that come together, one does so; the others wait a while for it, and then read past the bucket.
   * @returns undefined when the blob is here by now.
   * @throws UpstreamError
   */
  async pull(
    pull: BlobPull,
    repository: UpstreamRepository,
    digest: Digest,
  ): Promise<PulledBlob | undefined> {
    const { store } = pull;
    const { clock } = store;
    const { name } = repository;
    const key = store.layout.layerLink(name, digest);
    const flight = await this.#turn(store, repository, digest);
    if (flight === "here") return undefined;
    if (flight === "past") return this.#stream(await this.get(repository, digest), digest);
    try {
      const begun = await this.#begin(store, repository, digest);
      if (begun === "linked") {
        this.#flights.end(key, flight);
        return undefined;
      }
      const response = await this.get(repository, digest);
      const size = lengthOf(response);
      if (begun === "broken" || size === undefined) {
        this.#flights.end(key, flight);
        return this.#stream(response, digest);
      }
      const reader = new ReaderSide(size);
      const download = this.#download(response, { digest, size }, reader, () => {
        flight.aliveUntil = clock.now() + deadAfter;
      });
      const keeping = keep(pull, name, { digest, size }, download, begun).finally(() =>
        this.#flights.end(key, flight),
      );
      pull.keep(keeping);
      void keeping.then((isKept) => settle(store, { digest, size }, reader, isKept));
      return { size, body: reader.body };
    } catch (error) {
      this.#flights.end(key, flight);
      throw error;
    }
  }

  /**
   * Waits while another request of this isolate downloads the blob; if that one fails, for the next one.
   * @returns "here" once the blob is kept, "past" after `patience`, else the flight of the one who downloads it now.
   */
  async #turn(
    store: Store,
    { name, upstream }: UpstreamRepository,
    digest: Digest,
  ): Promise<Flight | "here" | "past"> {
    const { clock, layout } = store;
    const key = layout.layerLink(name, digest);
    const came = clock.now();
    while (this.#flights.isUnderWay(key, clock.now())) {
      if (clock.now() - came >= patience) return "past";
      await clock.sleep(lookEvery);
      const isOver = !this.#flights.isUnderWay(key, clock.now());
      if (isOver && (await statBlob(store, name, digest)) !== undefined) return "here";
    }
    return this.#flights.begin(key, clock.now() + 2 * upstream.timeout + deadAfter);
  }

  /**
   * Links bytes that came for another repository: for this one, the upstream's word is needed and no more.
   * @returns the guard under which to keep what is not there; "broken" if the bucket fails, and nothing is kept.
   * @throws UpstreamError
   */
  async #begin(
    store: Store,
    repository: UpstreamRepository,
    digest: Digest,
  ): Promise<GuardWatch | "linked" | "broken"> {
    try {
      const [guard, held] = await Promise.all([
        GuardWatch.begin(store),
        store.bucket.head(store.layout.blobData(digest)),
      ]);
      if (held === null) return guard;
      await this.stat(repository, digest);
      return (await linkHeld(store, repository.name, digest, guard)) ? "linked" : guard;
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      console.warn("a blob of an upstream is not kept", error);
      return "broken";
    }
  }

  /** Hands a blob on at the client's own pace, and keeps nothing. */
  #stream(response: Response, digest: Digest): PulledBlob {
    const size = lengthOf(response);
    const reader = new ReaderSide(size);
    const download = this.#download(response, { digest, size }, reader, () => undefined);
    // Its failure is the client's broken connection.
    download.run().catch(() => undefined);
    return { size, body: reader.body };
  }

  #download(response: Response, expected: Expected, reader: ReaderSide, onPiece: () => void): Download {
    const source = response.body ?? new Blob([]).stream();
    return new Download(source, expected, reader, { readerPatience: this.#readerPatience, onPiece });
  }
}

/** The bytes and the length that a kept blob has. */
interface Sized {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Keeps a blob as the client's upload of it would be kept, and gives it to the client meanwhile.
 * @returns whether it is kept. If not, the client has got it all the same, unless the upstream is to blame.
 */
async function keep(
  { store, singlePutLimit }: BlobPull,
  name: RepositoryName,
  { digest, size }: Sized,
  download: Download,
  guard: GuardWatch,
): Promise<boolean> {
  let isBegun = false;
  const content: Content = {
    size,
    repeatable: false,
    // The upstream's word for this repository is all the proof that is asked for.
    proves: async () => true,
    into: (put) => {
      isBegun = true;
      const watched = async (readable: ReadableStream) => {
        try {
          return await put(readable);
        } catch (error) {
          download.loseBucket();
          throw error;
        }
      };
      return fedStream(size, (writable) => download.run(writable), watched);
    },
  };
  const proofKey = store.layout.proof(name, crypto.randomUUID());
  try {
    await commitBlob(store, { name, digest, content, guard, proofKey, singlePutLimit });
    // Another one has brought the bytes meanwhile.
    if (!isBegun) await download.cancel();
    return true;
  } catch (error) {
    console.warn("a blob of an upstream was not kept", error);
    if (!isBegun) await download.run().catch(() => undefined);
    return false;
  }
}

/** Sees to a client who has not got all of the blob from the download. */
async function settle(store: Store, blob: Sized, reader: ReaderSide, isKept: boolean): Promise<void> {
  if (reader.pace === "done" || reader.pace === "gone") return;
  if (!isKept) return reader.breakOff(new Error("the rest is not to be had"));
  await reader.goOn(async (offset) => {
    const rest = await openRange(store, blob, { offset, length: blob.size - offset });
    if (rest === undefined) throw new Error("the blob went away");
    return rest;
  });
}

/** Bytes of the body; undefined if it does not say, or is packed. */
export function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get("Content-Length") ?? "";
  const isPacked = !["", "identity"].includes(headers.get("Content-Encoding") ?? "");
  return /^\d{1,15}$/.test(length) && !isPacked ? Number(length) : undefined;
}

function requestOf(digest: Digest, method: UpstreamRequest["method"]): UpstreamRequest {
  return { method, missing: ["BLOB_UNKNOWN", digest] };
}
