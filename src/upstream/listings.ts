import * as v from "valibot";
import { type Descriptor, descriptorOf } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { tryParseTag } from "../oci/name.ts";
import type { UpstreamClient, UpstreamRequest } from "./client.ts";
import { UpstreamError, unreachable } from "./upstream-error.ts";
import type { UpstreamRepository } from "./upstreams.ts";

/** Bytes of a listing's page at most. */
const maxBytes = 4 * 1024 * 1024;
/** What upstreams put into the URL of the next page, their own parameters included. */
const pageParameters = ["n", "last", "next_page", "artifactType"];
/** Characters of such a parameter at most. */
const maxParameter = 1000;

/** A page of an upstream's listing. */
export interface UpstreamPage<Item> {
  readonly items: readonly Item[];
  /** The query of the page after this one; undefined on the last. */
  readonly next: URLSearchParams | undefined;
}

export interface ReferrersPage extends UpstreamPage<Descriptor> {
  /** Whether the upstream has left out what is of another `artifactType`. */
  readonly isFiltered: boolean;
}

const tagList = v.object({ tags: v.nullish(v.array(v.string()), []) });
const index = v.object({ manifests: v.nullish(v.array(v.unknown()), []) });

/** Listings of upstreams: handed on, never kept. */
export class UpstreamListings {
  readonly #client: UpstreamClient;

  constructor(client: UpstreamClient) {
    this.#client = client;
  }

  /**
   * A page of the upstream's tags, in its own order.
   * @param query of the client's request; what is no paging parameter stays here.
   * @throws UpstreamError
   */
  async tags(repository: UpstreamRepository, query: URLSearchParams): Promise<UpstreamPage<string>> {
    const path = withQuery("tags/list", paging(query));
    const { response, value } = await this.#read(repository, path, tagList, {
      method: "GET",
      missing: ["NAME_UNKNOWN", { name: repository.name }],
    });
    return { items: value.tags.filter((tag) => tryParseTag(tag) !== undefined), next: nextPage(response) };
  }

  /**
   * A page of the upstream's referrers of a digest, by its API or, where it has none, by the tag that stands for
   * it (distribution-spec, "Unavailable Referrers API").
   * @throws UpstreamError
   */
  async referrers(
    repository: UpstreamRepository,
    subject: Digest,
    query: URLSearchParams,
  ): Promise<ReferrersPage> {
    const page = await this.#index(repository, withQuery(`referrers/${subject}`, paging(query)));
    const found = page ?? (await this.#index(repository, `manifests/${subject.replace(":", "-")}`));
    if (found === undefined) return { items: [], next: undefined, isFiltered: false };
    const items = found.value.manifests.flatMap((value) => descriptorOf(value) ?? []);
    const filters = found.response.headers.get("OCI-Filters-Applied") ?? "";
    return { items, next: nextPage(found.response), isFiltered: filters.includes("artifactType") };
  }

  async #index(repository: UpstreamRepository, path: string) {
    try {
      const headers = { Accept: "application/vnd.oci.image.index.v1+json" };
      return await this.#read(repository, path, index, {
        method: "GET",
        headers,
        missing: ["MANIFEST_UNKNOWN", undefined],
      });
    } catch (error) {
      if (error instanceof UpstreamError && error.fault === "missing") return undefined;
      throw error;
    }
  }

  async #read<Value>(
    repository: UpstreamRepository,
    path: string,
    schema: v.GenericSchema<unknown, Value>,
    request: UpstreamRequest,
  ): Promise<{ readonly response: Response; readonly value: Value }> {
    const { response, bytes } = await this.#client.read(repository, path, request, maxBytes);
    if (!response.ok) throw unreachable(`a listing with status ${response.status}`);
    try {
      return { response, value: v.parse(schema, JSON.parse(new TextDecoder().decode(bytes))) };
    } catch (cause) {
      throw unreachable(cause);
    }
  }
}

/** The parameters that an upstream may be told of. */
function paging(query: URLSearchParams): URLSearchParams {
  const known = [...query].filter(
    ([name, value]) => pageParameters.includes(name) && value.length <= maxParameter,
  );
  return new URLSearchParams(known);
}

function withQuery(path: string, query: URLSearchParams): string {
  return query.size === 0 ? path : `${path}?${query}`;
}

/** The query of the URL that a `Link` calls the next page (RFC 8288). */
function nextPage(response: Response): URLSearchParams | undefined {
  const [, target] = /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(response.headers.get("Link") ?? "") ?? [];
  const url = target === undefined ? null : URL.parse(target, "https://upstream.invalid");
  return url === null ? undefined : paging(url.searchParams);
}
