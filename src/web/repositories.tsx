import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { listRepositories } from "../storage/catalog.ts";
import type { Content, PageRequest } from "./content.ts";
import { Pages } from "./elements.tsx";
import { paths, withQuery } from "./paths.ts";
import { shown } from "./text.ts";

/** Repositories on a page. */
const pageSize = 100;
/** Lists of R2 that one page looks through: what is rare among very many repositories takes several pages. */
const lists = 10;
const maxSearch = 255;

/** GET `/`: the repositories that the visitor may pull from, all or those whose names contain `q`. */
export async function showRepositories({ c, visitor }: PageRequest): Promise<Content> {
  const { access } = visitor;
  if (!access.admitted) throw new RegistryError("UNAUTHORIZED");
  const search = (c.req.query("q") ?? "").trim().toLowerCase().slice(0, maxSearch);
  const isWanted = (name: RepositoryName) => access.allows(name, "pull") && name.includes(search);
  const after = c.req.query("after") || undefined;
  const { names, more, seen } = await listRepositories(
    c.var.registry.store,
    pageSize,
    after,
    isWanted,
    lists,
  );
  const body = (
    <>
      <div class="heading">
        <h1>Repositories</h1>
        <search class="search">
          <form action={paths.home}>
            <label class="unseen" for="q">
              Search repositories
            </label>
            <input id="q" name="q" type="search" value={search} placeholder="Search" autocapitalize="none" />
            <button type="submit">Search</button>
          </form>
        </search>
      </div>
      {names.length === 0 ? (
        <p class="empty">{emptyText(search, more)}</p>
      ) : (
        <ul class="repositories">
          {names.map((name) => (
            <li>
              <a href={paths.repository(name)}>
                <Name name={name} />
              </a>
            </li>
          ))}
        </ul>
      )}
      <Pages
        first={after && withQuery(paths.home, { q: search })}
        next={more ? withQuery(paths.home, { q: search, after: seen }) : undefined}
      />
    </>
  );
  return { title: "Repositories", body };
}

/** The last part of a name is what people look for; what stands before it is in the background. */
function Name({ name }: { readonly name: RepositoryName }) {
  const slash = name.lastIndexOf("/") + 1;
  return (
    <>
      <span class="folder">{name.slice(0, slash)}</span>
      {name.slice(slash)}
    </>
  );
}

function emptyText(search: string, more: boolean): string {
  if (more) return "None among the repositories that were looked through: there are more on the next page.";
  if (search !== "") return `No repository that you may pull from has “${shown(search)}” in its name.`;
  return "There is no repository yet that you may pull from.";
}
