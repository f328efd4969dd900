import type { Digest } from "../oci/digest.ts";
import type { Content } from "../storage/content.ts";
import { fedStream } from "../storage/fed-stream.ts";
import { lengthOf } from "../upstream/blobs.ts";
import { discard } from "../upstream/transport.ts";
import { unreachable } from "../upstream/upstream-error.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import type { Importer } from "./importer.ts";

/** Milliseconds for a stretch of `rangeSize` bytes or less, and for a blob in one piece, however large. */
const rangeTime = 120_000;
const wholeTime = 600_000;

/** A stretch of a blob. */
export interface Range {
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/**
 * Hands a range of an upstream's blob to a put, as it comes: no byte passes through JavaScript.
 * @param total bytes of the blob.
 * @returns undefined if the upstream serves no ranges.
 * @throws UpstreamError; what `put` throws, also where the upstream breaks off or is too slow: nothing is stored.
 */
export async function transferRange<Result>(
  { blobs }: Importer,
  repository: UpstreamRepository,
  digest: Digest,
  { offset, size }: Range,
  total: number,
  put: (body: ReadableStream) => Promise<Result>,
): Promise<Result | undefined> {
  const last = offset + size - 1;
  const response = await blobs.range(repository, digest, `bytes=${offset}-${last}`);
  if (response === undefined) return undefined;
  if (response.headers.get("Content-Range") !== `bytes ${offset}-${last}/${total}`) {
    await discard(response);
    throw unreachable("another part of a blob than was asked for");
  }
  return fedStream(size, (writable) => pipe(response, writable, rangeTime), put);
}

/**
 * A blob as the upstream sends it in one piece; each time that it is handed over, the upstream is asked anew.
 * @param size bytes of it.
 */
export function upstreamContent(
  { blobs, rangeSize }: Importer,
  repository: UpstreamRepository,
  digest: Digest,
  size: number,
): Content {
  return {
    size,
    repeatable: true,
    // Others may have bytes under this digest that the upstream has never had.
    proves: async () => false,
    into: async (put) => {
      const response = await blobs.get(repository, digest);
      if ((lengthOf(response) ?? size) !== size) {
        await discard(response);
        throw unreachable("a blob of another length than its descriptor says");
      }
      return fedStream(
        size,
        (writable) => pipe(response, writable, size > rangeSize ? wholeTime : rangeTime),
        put,
      );
    },
  };
}

/** @param time milliseconds after which it is broken off. */
async function pipe({ body }: Response, writable: WritableStream<Uint8Array>, time: number): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), time);
  try {
    await body?.pipeTo(writable, { preventClose: true, signal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}
