import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, tryParseDigest } from "../oci/digest.ts";
import { ociIndex } from "../oci/media-type.ts";
import type { RepositoryName } from "../oci/name.ts";
import { listReferrers } from "../storage/referrers.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import { digestParam, type RegistryContext, repositoryFor } from "./context.ts";
import { jsonResponse } from "./json.ts";
import { linkTo } from "./paging.ts";
import { listThrough } from "./pull-through.ts";

/**
 * GET `/v2/<name>/referrers/<digest>` (distribution-spec "Listing Referrers"): an image index of the manifests
 * whose subject that digest is; an empty one for a subject, or a repository, that does not exist.
 */
export async function getReferrers(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "pull");
  const subject = digestParam(c);
  const artifactType = c.req.query("artifactType") || undefined;
  return listThrough(
    c,
    name,
    (repository) => upstreamReferrers(c, repository, subject, artifactType),
    () => ownReferrers(c, name, subject, artifactType),
  );
}

async function ownReferrers(
  c: RegistryContext,
  name: RepositoryName,
  subject: Digest,
  artifactType: string | undefined,
): Promise<Response> {
  const last = tryParseDigest(c.req.query("last") ?? "");
  const { descriptors, next } = await listReferrers(c.var.registry.store, name, subject, artifactType, last);
  const query =
    next && new URLSearchParams({ last: next, ...(artifactType !== undefined && { artifactType }) });
  return indexOf(c, descriptors, artifactType, query);
}

/** Filters what the upstream did not. */
async function upstreamReferrers(
  c: RegistryContext,
  repository: UpstreamRepository,
  subject: Digest,
  artifactType: string | undefined,
): Promise<Response> {
  const { listings } = c.var.registry.pullThrough;
  const page = await listings.referrers(repository, subject, c.var.url.searchParams);
  const isWanted = (descriptor: Descriptor) =>
    artifactType === undefined || page.isFiltered || descriptor.artifactType === artifactType;
  return indexOf(c, page.items.filter(isWanted), artifactType, page.next);
}

function indexOf(
  c: RegistryContext,
  manifests: readonly Descriptor[],
  artifactType: string | undefined,
  next: URLSearchParams | undefined,
): Response {
  const headers: Record<string, string> = {
    "Content-Type": ociIndex,
    "Cache-Control": "no-cache, no-transform",
  };
  if (artifactType !== undefined) headers["OCI-Filters-Applied"] = "artifactType";
  if (next !== undefined) headers.Link = linkTo(c, next);
  const index = { schemaVersion: 2, mediaType: ociIndex, manifests };
  return jsonResponse(JSON.stringify(index), headers);
}
