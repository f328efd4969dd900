import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { mapBounded } from "../storage/bounded.ts";
import { listRepositories } from "../storage/catalog.ts";
import { type RepositoryUse, repositoryUse } from "../storage/repository-use.ts";
import type { Content, PageRequest } from "./content.ts";
import { Pages } from "./elements.tsx";
import { paths, withQuery } from "./paths.ts";
import { count, sizeText } from "./text.ts";
import { isTrusted } from "./visitor.ts";

/** Repositories on a page; each costs a list. */
const pageSize = 25;
/** Lists of the catalog that a page looks through. */
const lists = 10;

/** GET `/-/storage`: what the repositories that the visitor may pull from take, as a picture. */
export async function showStorage({ c, visitor }: PageRequest): Promise<Content> {
  if (!isTrusted(c, visitor)) throw new RegistryError("UNAUTHORIZED");
  const { store } = c.var.registry;
  const after = c.req.query("after") || undefined;
  const mayPull = (name: RepositoryName) => visitor.access.allows(name, "pull");
  const { names, more, seen } = await listRepositories(store, pageSize, after, mayPull, lists);
  const found = await mapBounded(names, store.concurrency, (name) => repositoryUse(store, name));
  const uses = found.toSorted((a, b) => b.bytes - a.bytes);
  const body = (
    <>
      <h1>Storage</h1>
      <p class="hint">
        What the blobs of each repository take, {pageSize} repositories a page. A blob that several
        repositories share is stored once, and counted in each. What garbage collection has not taken yet is
        counted too.
      </p>
      {uses.length === 0 ? <p class="empty">There is no repository here.</p> : <Picture uses={uses} />}
      <Pages
        first={after && paths.storage}
        next={more ? withQuery(paths.storage, { after: seen }) : undefined}
      />
    </>
  );
  return { title: "Storage", trail: [["Repositories", paths.home]], body };
}

function Picture({ uses }: { readonly uses: readonly RepositoryUse[] }) {
  const largest = Math.max(1, ...uses.map(({ bytes }) => bytes));
  return (
    <div class="table">
      <table class="use">
        <thead>
          <tr>
            <th scope="col">Repository</th>
            <th scope="col">Share</th>
            <th scope="col" class="number">
              Bytes
            </th>
            <th scope="col" class="number">
              Blobs
            </th>
          </tr>
        </thead>
        <tbody>
          {uses.map(({ name, bytes, blobs, more }) => (
            <tr>
              <th scope="row">
                <a href={paths.repository(name)}>{name}</a>
              </th>
              <td class="share">
                <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                  <rect class="tone-0" width={((bytes / largest) * 100).toFixed(2)} height="8" />
                </svg>
              </td>
              <td class="number">{`${more ? "at least " : ""}${sizeText(bytes)}`}</td>
              <td class="number">{`${more ? "over " : ""}${count(blobs, "blob")}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
