import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { listTagNames } from "../storage/tag-list.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import { type RegistryContext, repositoryFor } from "./context.ts";
import { jsonResponse } from "./json.ts";
import { jsonPage, linkTo, pageParams } from "./paging.ts";
import { listThrough } from "./pull-through.ts";

/** Tags of one answer at most: more could exceed the operations of a request and the memory of an isolate. */
const maxTags = 50_000;

/**
 * GET `/v2/<name>/tags/list` (distribution-spec "Listing Tags", F1 to F11 with M19): tags in ASCII order, all of
 * them unless `n` asks for fewer or they are too many for one answer. Those of an upstream are as it lists them.
 */
export async function getTags(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "pull");
  const page = pageParams(c);
  return listThrough(
    c,
    name,
    (repository) => upstreamTags(c, repository),
    () => ownTags(c, name, page),
  );
}

async function ownTags(
  c: RegistryContext,
  name: RepositoryName,
  { n, last }: ReturnType<typeof pageParams>,
): Promise<Response> {
  const { store } = c.var.registry;
  const page = await listTagNames(store, name, Math.min(Math.max(n ?? maxTags, 1), maxTags), last);
  if (!page.known) throw new RegistryError("NAME_UNKNOWN", { detail: { name } });
  const tags = n === 0 ? [] : page.tags;
  return jsonPage(c, { name, tags }, page.more && n !== 0 ? { n, last: tags.at(-1) } : undefined);
}

async function upstreamTags(c: RegistryContext, repository: UpstreamRepository): Promise<Response> {
  const { listings } = c.var.registry.pullThrough;
  const { items, next } = await listings.tags(repository, c.var.url.searchParams);
  const headers = { "Cache-Control": "no-cache, no-transform", ...(next && { Link: linkTo(c, next) }) };
  return jsonResponse(`${JSON.stringify({ name: repository.name, tags: items })}\n`, headers);
}
