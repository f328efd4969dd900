import { nearContent, repositoryFor } from "../handlers/context.ts";
import { serviceOf } from "../handlers/location.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { isInCatalog } from "../storage/catalog.ts";
import type { ListedTag } from "../storage/tag-list.ts";
import { matchesTag } from "../storage/tag-pattern.ts";
import type { Content, PageRequest } from "./content.ts";
import { Command, Pages, Time } from "./elements.tsx";
import { paths, withQuery } from "./paths.ts";
import { type ManifestFacts, manifestFacts, type TagOrder, tagRows } from "./tag-rows.ts";
import { shortDigest, shown, sizeText } from "./text.ts";
import { offers } from "./visitor.ts";

const orders: readonly (readonly [TagOrder, string])[] = [
  ["time", "Newest"],
  ["name", "Name"],
  ["size", "Size"],
];

/** Platforms of an index that a row names. */
const maxPlatforms = 8;

/** GET `/-/repositories/<name>`: a repository's tags, by `sort=time`, `name` or `size`. */
export async function showTags({ c }: PageRequest): Promise<Content> {
  const name = repositoryFor(c, "pull");
  const wanted = orders.find(([order]) => order === c.req.query("sort"))?.[0] ?? "time";
  const after = c.req.query("after") || undefined;
  const near = nearContent(c);
  const rows = await tagRows(near, name, wanted, after);
  if (!rows.known && !(await isInCatalog(near.store, name))) throw new RegistryError("NAME_UNKNOWN");
  const facts = await manifestFacts(
    near,
    name,
    rows.tags.map(({ target }) => target.digest),
  );
  const here = paths.repository(name);
  const { immutableTags } = c.var.registry.config;
  const body = (
    <>
      <div class="heading">
        <h1>{name}</h1>
        <span class="actions">
          {c.var.access.admin && <a href={paths.retention(name)}>Retention</a>}
          {offers(c, name, "delete") && (
            <a class="danger" href={paths.deleteRepository(name)}>
              Delete repository
            </a>
          )}
        </span>
      </div>
      {c.var.registry.isPullThrough(name) && (
        <p class="hint">Mirrors another registry: what was pulled from here before is shown.</p>
      )}
      {rows.tags.length === 0 ? (
        <p class="empty">There are no tags{after === undefined ? "" : " any more on this page"}.</p>
      ) : (
        <>
          <nav class="orders" aria-label="Order">
            {orders.map(([order, label]) => (
              <a
                href={withQuery(here, { sort: order })}
                aria-current={order === rows.order ? "true" : undefined}
              >
                {label}
              </a>
            ))}
          </nav>
          {rows.limit !== "" && <p class="hint">{rows.limit}</p>}
          <ul class="tags">
            {rows.tags.map((tag) => (
              <TagRow
                name={name}
                listed={tag}
                facts={facts.get(tag.target.digest)}
                host={serviceOf(c)}
                immutable={matchesTag(immutableTags, name, tag.tag)}
                deletable={offers(c, name, "delete")}
              />
            ))}
          </ul>
        </>
      )}
      <Pages
        first={after && withQuery(here, { sort: rows.order })}
        next={rows.next && withQuery(here, { sort: rows.order, after: rows.next })}
      />
    </>
  );
  return { title: name, trail: [["Repositories", paths.home]], body };
}

interface TagRowProperties {
  readonly name: RepositoryName;
  readonly listed: ListedTag;
  readonly facts: ManifestFacts | undefined;
  readonly host: string;
  readonly immutable: boolean;
  readonly deletable: boolean;
}

function TagRow({ name, listed, facts, host, immutable, deletable }: TagRowProperties) {
  const { tag, target, at } = listed;
  return (
    <li class="card">
      <div class="tag-line">
        <h2>
          <a href={paths.manifest(name, tag)}>{tag}</a>
        </h2>
        {immutable && <span class="badge">immutable</span>}
        <Platforms platforms={facts?.platforms ?? []} />
        <span class="actions">
          <a href={paths.history(name, tag)} aria-label={`History of ${tag}`}>
            History
          </a>
          {deletable && (
            <a class="danger" href={paths.deleteManifest(name, tag)} aria-label={`Delete tag ${tag}`}>
              Delete
            </a>
          )}
        </span>
      </div>
      <dl class="facts">
        <div>
          <dt>Set</dt>
          <dd>
            <Time at={at} />
          </dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd>{facts?.size === undefined ? "unknown" : sizeText(facts.size)}</dd>
        </div>
        <div>
          <dt>Digest</dt>
          <dd>
            <a class="code" href={paths.manifest(name, target.digest)} title={target.digest}>
              {shortDigest(target.digest)}
            </a>
          </dd>
        </div>
      </dl>
      <Command text={`docker pull ${host}/${name}:${tag}`} />
    </li>
  );
}

function Platforms({ platforms }: Pick<ManifestFacts, "platforms">) {
  const rest = platforms.length - maxPlatforms;
  return (
    <>
      {platforms.slice(0, maxPlatforms).map((platform) => (
        <span class="badge">{shown(platform)}</span>
      ))}
      {rest > 0 && <span class="badge">{`${rest} more`}</span>}
    </>
  );
}
