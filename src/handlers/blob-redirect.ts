import type { RangeResult } from "../oci/range.ts";
import type { Blob } from "../storage/blobs.ts";
import type { RegistryContext } from "./context.ts";

/** How long, in seconds, the URL is good to which a client is redirected; what has begun by then goes on. */
const urlLifetime = 1200;

/**
 * The 307 to the bucket for a GET of a large blob, if the registry redirects (docs/big-layers.md): the caller has
 * been let in, and the repository links the blob.
 * @param wanted the parts that the request asks for. S3 knows one at a time, and no `If-Range` of ours: such
 *   requests stay here.
 * @returns undefined if the Worker sends the blob itself.
 */
export async function redirectToBucket(
  c: RegistryContext,
  blob: Blob,
  wanted: RangeResult | undefined,
): Promise<Response | undefined> {
  const { config, objectUrls, store } = c.var.registry;
  if (objectUrls === undefined || config.blobRedirect === undefined) return undefined;
  if (blob.size < config.blobRedirect || c.req.header("If-Range") !== undefined) return undefined;
  if (wanted !== undefined && (wanted.kind === "unsatisfiable" || wanted.ranges.length > 1)) return undefined;
  const url = await objectUrls.get(store.layout.blobData(blob.digest), urlLifetime);
  const headers = {
    Location: url,
    "Docker-Content-Digest": blob.digest,
    "Cache-Control": "no-store",
    "Content-Length": "0",
  };
  return new Response(null, { status: 307, headers });
}
