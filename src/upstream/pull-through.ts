import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { ReferenceRules } from "../oci/reference.ts";
import type { Clock, Fetch } from "../storage/ports.ts";
import { UpstreamBlobs } from "./blobs.ts";
import { UpstreamClient } from "./client.ts";
import { UpstreamListings } from "./listings.ts";
import { UpstreamManifests } from "./manifests.ts";
import type { Credentials, Upstream } from "./upstream.ts";
import { isAllowed, type UpstreamRepository, Upstreams } from "./upstreams.ts";

/** The part of the configuration that pulling through needs. */
export interface PullThroughConfig extends ReferenceRules {
  readonly upstreams: readonly Upstream[];
  readonly upstreamCredentials: ReadonlyMap<string, Credentials>;
  readonly trustProxy: boolean;
}

/** The upstreams of a registry, and what is pulled through from them. */
export class PullThrough {
  /** Which names are whose. */
  readonly names: Upstreams;
  readonly client: UpstreamClient;
  readonly manifests: UpstreamManifests;
  readonly blobs: UpstreamBlobs;
  readonly listings: UpstreamListings;

  constructor(config: PullThroughConfig, clock: Clock, fetch: Fetch) {
    this.names = new Upstreams(config.upstreams, config.trustProxy);
    this.client = new UpstreamClient(fetch, clock, config.upstreamCredentials);
    this.manifests = new UpstreamManifests(this.client, config);
    this.blobs = new UpstreamBlobs(this.client);
    this.listings = new UpstreamListings(this.client);
  }

  /**
   * The repository of an upstream that a pull of this name means; undefined for one of ours.
   * @throws RegistryError DENIED (403) for one that the configuration does not let through; NAME_UNKNOWN (404) for
   *   the prefix alone.
   */
  repository(name: RepositoryName): UpstreamRepository | undefined {
    const repository = this.names.find(name);
    if (repository === undefined) return undefined;
    if (repository.remote === "") throw new RegistryError("NAME_UNKNOWN", { detail: { name } });
    if (isAllowed(repository)) return repository;
    throw new RegistryError("DENIED", { message: "this repository is not pulled through" });
  }
}
