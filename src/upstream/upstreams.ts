import type { RepositoryName } from "../oci/name.ts";
import { matchesWildcard } from "../oci/wildcard.ts";
import type { Upstream } from "./upstream.ts";

/** A repository of an upstream. */
export interface UpstreamRepository {
  readonly upstream: Upstream;
  /** Its name here: the prefix of the upstream, then its name there. */
  readonly name: RepositoryName;
  /** Its name there; empty for the prefix alone. */
  readonly remote: string;
}

/** How a request says that its names are those of an upstream. */
export interface Scoping {
  readonly upstream: Upstream;
  /** The value of `ns`, where that is what says it. */
  readonly namespace: string | undefined;
}

/** A path of a repository whose name has one component. */
const shortPath =
  /^([^/_][^/]*)(\/(?:manifests\/[^/]+|blobs\/(?:[^/]+|uploads\/[^/]*)|tags\/list|referrers\/[^/]+|_(?:skerry|oci)\/.+)\/?)$/;

/** Which names are whose: those below the prefix of an upstream are its own, every other one is ours. */
export class Upstreams {
  /** A longer prefix comes before a shorter one that it begins with. */
  readonly #upstreams: readonly Upstream[];
  readonly #trustProxy: boolean;

  /** @param trustProxy whether `X-Forwarded-Host` is believed. */
  constructor(upstreams: readonly Upstream[], trustProxy: boolean) {
    this.#upstreams = upstreams.toSorted((one, other) => other.prefix.length - one.prefix.length);
    this.#trustProxy = trustProxy;
  }

  /** The repository of an upstream that has this name here; undefined for one of ours. */
  find(name: RepositoryName): UpstreamRepository | undefined {
    const upstream = this.#below(name);
    return upstream && { upstream, name, remote: name.slice(upstream.prefix.length + 1) };
  }

  /**
   * The upstream to which a request is scoped by `?ns=` (distribution-spec, "Registry Proxying") or by the host
   * name that it is sent to; undefined if it is to none, `"unknown"` if `ns` names a registry that is none of them
   * although there are some: to answer with a repository of ours would mistake it for another's.
   */
  scopingOf(request: Request): Scoping | "unknown" | undefined {
    if (this.#upstreams.length === 0) return undefined;
    const url = new URL(request.url);
    const hosts = this.#hostsOf(request, url);
    const namespace = url.searchParams.get("ns")?.toLowerCase() || undefined;
    const isOurs = namespace === undefined || hosts.includes(namespace);
    const upstream = this.#upstreams.find((each) =>
      isOurs
        ? each.hosts.some((host) => hosts.includes(host))
        : each.prefix === namespace || each.url.host === namespace,
    );
    if (upstream !== undefined) return { upstream, namespace: isOurs ? undefined : namespace };
    return isOurs ? undefined : "unknown";
  }

  /** The path that a request means: that of the repository's full name. */
  pathOf(path: string, request: Request): string {
    if (this.#upstreams.length === 0) return path;
    const scoping = this.scopingOf(request);
    if (scoping === "unknown" || !/^\/v2\/[^/_]/.test(path)) return path;
    const rest = path.slice("/v2/".length);
    const full = scoping === undefined ? rest : below(scoping.upstream, rest);
    const upstream = this.#below(full);
    if (upstream === undefined) return path;
    const remote = full.slice(upstream.prefix.length + 1);
    const isShort = upstream.library && shortPath.test(remote);
    return `/v2/${upstream.prefix}/${isShort ? "library/" : ""}${remote}`;
  }

  /** The full name that a token's scope means, in a request that is scoped so. */
  nameOf(name: string, scoping: Scoping | undefined): string {
    const full = scoping === undefined ? name : below(scoping.upstream, name);
    const upstream = this.#below(full);
    if (upstream === undefined || !upstream.library) return full;
    const remote = full.slice(upstream.prefix.length + 1);
    return remote.includes("/") || remote === "" ? full : `${upstream.prefix}/library/${remote}`;
  }

  #below(text: string): Upstream | undefined {
    return this.#upstreams.find(({ prefix }) => text === prefix || text.startsWith(`${prefix}/`));
  }

  /** The host that the client asked, with its port and without. */
  #hostsOf(request: Request, url: URL): readonly string[] {
    const forwarded = this.#trustProxy ? request.headers.get("X-Forwarded-Host")?.split(",")[0]?.trim() : "";
    const host = (forwarded || url.host).toLowerCase();
    return [host, host.replace(/:\d+$/, "")];
  }
}

/** Whether the configuration lets a repository of the upstream be pulled. */
export function isAllowed({ upstream, remote }: UpstreamRepository): boolean {
  const matches = (pattern: string) => matchesWildcard(pattern, remote);
  return (upstream.allow?.some(matches) ?? true) && !upstream.deny.some(matches);
}

function below({ prefix }: Upstream, rest: string): string {
  return rest.startsWith(`${prefix}/`) ? rest : `${prefix}/${rest}`;
}
