import { blobEvent } from "../events/blob-event.ts";
import { ifNoneMatch } from "../oci/conditional.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { unreachable } from "../upstream/upstream-error.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import { blobHeaders, blobResponse, unsatisfiable } from "./blob-response.ts";
import { announce, nearContent, type RegistryContext } from "./context.ts";

/**
 * A blob that the repository does not link: of an upstream's, what the upstream answers. A registry that is
 * read-only keeps nothing, and so asks nobody.
 * @param range the `Range` that counts, if there is one.
 * @throws RegistryError BLOB_UNKNOWN (404); UpstreamError.
 */
export async function blobThrough(
  c: RegistryContext,
  name: RepositoryName,
  digest: Digest,
  range: string | undefined,
): Promise<Response> {
  const { pullThrough, config, store } = c.var.registry;
  const repository = config.readOnly ? undefined : pullThrough.repository(name);
  if (repository === undefined) throw new RegistryError("BLOB_UNKNOWN", { detail: digest });
  const headers = blobHeaders(digest);
  const isSame = ifNoneMatch(c.req.header("If-None-Match") ?? null, headers.ETag);
  if (c.req.method === "HEAD" || isSame) {
    const size = await pullThrough.blobs.stat(repository, digest);
    return isSame ? new Response(null, { status: 304, headers }) : blobResponse(null, 200, headers, size);
  }
  const part = await partThrough(c, repository, digest, range);
  if (part !== undefined) return part;
  const pulled = await pullThrough.blobs.pull(
    { store, singlePutLimit: config.singlePutLimit, keep: (work) => c.executionCtx.waitUntil(work) },
    repository,
    digest,
  );
  const blob = pulled ?? (await nearContent(c).blob(name, digest));
  if (blob === undefined) throw new RegistryError("BLOB_UNKNOWN", { detail: digest });
  announce(c, blobEvent("pull", name, { digest, ...(blob.size !== undefined && { size: blob.size }) }));
  return blobResponse(blob.body, 200, headers, blob.size);
}

/** One range, by the upstream itself. Who asks for several gets the whole, as RFC 9110 (14.2) lets us. */
async function partThrough(
  c: RegistryContext,
  repository: UpstreamRepository,
  digest: Digest,
  range: string | undefined,
): Promise<Response | undefined> {
  const one = /^\s*(bytes=(?:\d+-\d*|-\d+))\s*$/i.exec(range ?? "")?.[1];
  if (one === undefined) return undefined;
  const part = await c.var.registry.pullThrough.blobs.range(repository, digest, one);
  if (part === undefined) return undefined;
  const place = part.headers.get("Content-Range") ?? "";
  const [, first, last] = /^bytes (?:(\d+)-(\d+)|\*)\/\d+$/.exec(place) ?? [];
  if (part.status === 416 || first === undefined || last === undefined) {
    await part.body?.cancel();
    if (part.status === 416) throw unsatisfiable(place);
    throw unreachable("a part of a blob that does not say which");
  }
  const headers = { ...blobHeaders(digest), "Content-Range": place };
  return blobResponse(part.body, 206, headers, Number(last) - Number(first) + 1);
}
