import { blobEvent } from "../events/blob-event.ts";
import { entityTag, ifNoneMatch, ifRange } from "../oci/conditional.ts";
import { RegistryError } from "../oci/error.ts";
import { contentRange, parseRange, unsatisfiedRange } from "../oci/range.ts";
import { type Blob, openRange, statBlob } from "../storage/blobs.ts";
import { unlinkBlob } from "../storage/layer-link.ts";
import { redirectToBucket } from "./blob-redirect.ts";
import { blobHeaders, blobResponse, blobType, unsatisfiable } from "./blob-response.ts";
import { blobThrough } from "./blob-through.ts";
import { announce, digestParam, nearContent, type RegistryContext, repositoryFor } from "./context.ts";
import { multipartRanges } from "./multipart-ranges.ts";

/**
 * GET and HEAD `/v2/<name>/blobs/<digest>` (distribution-spec "Pulling blobs", E1 to E7; RFC 9110 section 14
 * for ranges).
 */
export async function getBlob(c: RegistryContext): Promise<Response> {
  const { store, config } = c.var.registry;
  const name = repositoryFor(c, "pull");
  const digest = digestParam(c);
  const etag = entityTag(digest);
  const rangeHeader = ifRange(c.req.header("If-Range") ?? null, etag) ? c.req.header("Range") : undefined;
  const noneMatch = c.req.header("If-None-Match");
  const mayRedirect = config.blobRedirect !== undefined;

  if (c.req.method === "HEAD" || noneMatch !== undefined || rangeHeader !== undefined || mayRedirect) {
    const blob = await statBlob(store, name, digest);
    if (blob === undefined) return blobThrough(c, name, digest, rangeHeader);
    const headers = blobHeaders(blob.digest);
    if (ifNoneMatch(noneMatch ?? null, etag)) return new Response(null, { status: 304, headers });
    if (c.req.method === "HEAD") return blobResponse(null, 200, headers, blob.size);
    const wanted = parseRange(rangeHeader ?? null, blob.size);
    const redirect = await redirectToBucket(c, blob, wanted);
    if (redirect !== undefined) {
      announce(c, blobEvent("pull", name, blob));
      return redirect;
    }
    if (wanted !== undefined) return serveRanges(c, blob, headers, wanted);
  }
  const blob = await nearContent(c).blob(name, digest);
  if (blob === undefined) return blobThrough(c, name, digest, undefined);
  announce(c, blobEvent("pull", name, blob));
  return blobResponse(blob.body, 200, blobHeaders(blob.digest), blob.size);
}

/** DELETE `/v2/<name>/blobs/<digest>` (distribution-spec "Deleting Blobs", E8): only this repository's link goes. */
export async function deleteBlob(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "delete");
  const digest = digestParam(c);
  await unlinkBlob(c.var.registry.store, name, digest);
  await nearContent(c).forgetBlob(name, digest);
  announce(c, blobEvent("delete", name, { digest }));
  return new Response(null, { status: 202, headers: { "Content-Length": "0" } });
}

async function serveRanges(
  c: RegistryContext,
  blob: Blob,
  headers: Record<string, string>,
  wanted: NonNullable<ReturnType<typeof parseRange>>,
): Promise<Response> {
  const { store } = c.var.registry;
  if (wanted.kind === "unsatisfiable") throw unsatisfiable(unsatisfiedRange(blob.size));
  const [range, second] = wanted.ranges;
  if (second !== undefined) {
    const { body, length, type } = multipartRanges(store, blob, wanted.ranges, blobType);
    return blobResponse(body, 206, { ...headers, "Content-Type": type }, length);
  }
  const body = await openRange(store, blob, range);
  if (body === undefined) throw new RegistryError("BLOB_UNKNOWN", { detail: blob.digest });
  const partial = { ...headers, "Content-Range": contentRange(range, blob.size) };
  return blobResponse(body, 206, partial, range.length);
}
