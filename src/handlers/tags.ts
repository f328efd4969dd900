import { RegistryError } from "../oci/error.ts";
import { listTagNames } from "../storage/tag-list.ts";
import { type RegistryContext, repositoryFor } from "./context.ts";
import { jsonPage, pageParams } from "./paging.ts";

/**
 * GET `/v2/<name>/tags/list` (distribution-spec "Listing Tags", F1 to F11 with M19): tags in ASCII order, all of
 * them unless `n` asks for fewer.
 */
export async function getTags(c: RegistryContext): Promise<Response> {
  const { store } = c.var.registry;
  const name = repositoryFor(c, "pull");
  const { n, last } = pageParams(c);
  const page = await listTagNames(store, name, Math.max(n ?? Number.POSITIVE_INFINITY, 1), last);
  if (!page.known) throw new RegistryError("NAME_UNKNOWN", { detail: { name } });
  const tags = n === 0 ? [] : page.tags;
  return jsonPage(c, { name, tags }, page.more && n !== 0 ? { n, last: tags.at(-1) } : undefined);
}
