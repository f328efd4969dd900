import { tryParseDigest } from "../oci/digest.ts";
import { ociIndex } from "../oci/media-type.ts";
import { listReferrers } from "../storage/referrers.ts";
import { digestParam, type RegistryContext, repositoryFor } from "./context.ts";
import { jsonResponse } from "./json.ts";

/**
 * GET `/v2/<name>/referrers/<digest>` (distribution-spec "Listing Referrers"): an image index of the manifests
 * whose subject that digest is; an empty one for a subject, or a repository, that does not exist.
 */
export async function getReferrers(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "pull");
  const subject = digestParam(c);
  const artifactType = c.req.query("artifactType") || undefined;
  const last = tryParseDigest(c.req.query("last") ?? "");
  const { descriptors, next } = await listReferrers(c.var.registry.store, name, subject, artifactType, last);
  const headers: Record<string, string> = {
    "Content-Type": ociIndex,
    "Cache-Control": "no-cache, no-transform",
  };
  if (artifactType !== undefined) headers["OCI-Filters-Applied"] = "artifactType";
  if (next !== undefined) {
    const query = new URLSearchParams({ last: next, ...(artifactType !== undefined && { artifactType }) });
    headers.Link = `<${c.req.path}?${query}>; rel="next"`;
  }
  const index = { schemaVersion: 2, mediaType: ociIndex, manifests: descriptors };
  return jsonResponse(JSON.stringify(index), headers);
}
