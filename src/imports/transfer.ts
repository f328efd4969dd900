import type { Digest } from "../oci/digest.ts";
import type { Content } from "../storage/content.ts";
import { fedStream } from "../storage/fed-stream.ts";
import { lengthOf } from "../upstream/blobs.ts";
import { within } from "../upstream/in-time.ts";
import { discard } from "../upstream/transport.ts";
import { unreachable } from "../upstream/upstream-error.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import type { Importer } from "./importer.ts";

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
export function transferRange<Result>(
  { blobs, transferTime }: Importer,
  repository: UpstreamRepository,
  digest: Digest,
  { offset, size }: Range,
  total: number,
  put: (body: ReadableStream) => Promise<Result>,
): Promise<Result | undefined> {
  return within(transferTime.range, async (signal) => {
    const last = offset + size - 1;
    const response = await blobs.range(repository, digest, `bytes=${offset}-${last}`, signal);
    if (response === undefined) return undefined;
    if (response.headers.get("Content-Range") !== `bytes ${offset}-${last}/${total}`) {
      await discard(response);
      throw unreachable("another part of a blob than was asked for");
    }
    return handOver(response, size, put);
  });
}

/**
 * A blob as the upstream sends it in one piece; each time that it is handed over, the upstream is asked anew.
 * @param size bytes of it.
 */
export function upstreamContent(
  { blobs, rangeSize, transferTime }: Importer,
  repository: UpstreamRepository,
  digest: Digest,
  size: number,
): Content {
  const time = size > rangeSize ? transferTime.whole : transferTime.range;
  return {
    size,
    repeatable: true,
    // Others may have bytes under this digest that the upstream has never had.
    proves: async () => false,
    into: (put) =>
      within(time, async (signal) => {
        const response = await blobs.get(repository, digest, signal);
        if ((lengthOf(response) ?? size) === size) return handOver(response, size, put);
        await discard(response);
        throw unreachable("a blob of another length than its descriptor says");
      }),
  };
}

function handOver<Result>(
  { body }: Response,
  size: number,
  put: (body: ReadableStream) => Promise<Result>,
): Promise<Result> {
  return fedStream(size, async (writable) => body?.pipeTo(writable, { preventClose: true }), put);
}
