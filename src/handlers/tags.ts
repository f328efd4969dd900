import { RegistryError } from "../oci/error.ts";
import { listTagNames } from "../storage/tag-list.ts";
import { type RegistryContext, repositoryFor } from "./context.ts";
import { jsonPage, pageParams } from "./paging.ts";

/** Tags of one answer at most: more could exceed the operations of a request and the memory of an isolate. */
const maxTags = 50_000;

/**
 * GET `/v2/<name>/tags/list` (distribution-spec "Listing Tags", F1 to F11 with M19): tags in ASCII order, all of
 * them unless `n` asks for fewer or they are too many for one answer.
 */
export async function getTags(c: RegistryContext): Promise<Response> {
  const { store } = c.var.registry;
  const name = repositoryFor(c, "pull");
  const { n, last } = pageParams(c);
  const page = await listTagNames(store, name, Math.min(Math.max(n ?? maxTags, 1), maxTags), last);
  if (!page.known) throw new RegistryError("NAME_UNKNOWN", { detail: { name } });
  const tags = n === 0 ? [] : page.tags;
  return jsonPage(c, { name, tags }, page.more && n !== 0 ? { n, last: tags.at(-1) } : undefined);
}
