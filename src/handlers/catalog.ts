import { RegistryError } from "../oci/error.ts";
import { listRepositories } from "../storage/catalog.ts";
import type { RegistryContext } from "./context.ts";
import { jsonPage, pageParams } from "./paging.ts";
import { refused } from "./refusal.ts";

/** Repositories on a page at most, and when the client does not say how many. */
const pageSize = 1000;

/** GET `/v2/_catalog` (F20 to F28): the repositories that the caller may pull from, in byte order. */
export async function getCatalog(c: RegistryContext): Promise<Response> {
  const { registry, access } = c.var;
  const { lists } = access;
  if (lists === undefined) throw refused(c);
  const { n, last } = pageParams(c);
  if (n === 0) return jsonPage(c, { repositories: [] }, undefined);
  if (n !== undefined && n > pageSize) {
    throw new RegistryError("UNSUPPORTED", {
      status: 400,
      message: `at most ${pageSize} repositories on a page`,
      detail: { n },
    });
  }
  const { names, more } = await listRepositories(registry.store, n ?? pageSize, last, lists);
  return jsonPage(c, { repositories: names }, more ? { n: n ?? pageSize, last: names.at(-1) } : undefined);
}
