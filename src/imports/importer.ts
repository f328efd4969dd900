import type { Happening } from "../events/event.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import type { ReferenceRules } from "../oci/reference.ts";
import type { Store } from "../storage/store.ts";
import type { UpstreamBlobs } from "../upstream/blobs.ts";
import type { UpstreamClient } from "../upstream/client.ts";
import type { UpstreamListings } from "../upstream/listings.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import type { Allowance, Usage } from "./turn.ts";

/** What imports work with, in one invocation of the Worker. */
export interface Importer {
  /** Its operations are counted into `usage`. */
  readonly store: Store;
  readonly client: UpstreamClient;
  readonly blobs: UpstreamBlobs;
  readonly listings: UpstreamListings;
  /** The repository of an upstream. @throws RegistryError DENIED (403) for one that is not let through. */
  readonly upstreamOf: (name: RepositoryName) => UpstreamRepository | undefined;
  readonly rules: ReferenceRules;
  /** Kinds of manifests that are accepted; empty: every one. */
  readonly repositoryClasses: readonly string[];
  /** Whether a manifest is stored without what the upstream has not got of it. */
  readonly acceptsMissing: boolean;
  readonly isImmutable: (name: RepositoryName, tag: Tag) => boolean;
  /** Whether garbage collection takes manifests of the repository that no tag names. */
  readonly mayBeMarked: (name: RepositoryName) => boolean;
  /** Bytes up to which one R2 put is used; above, a multipart upload. */
  readonly singlePutLimit: number;
  /** Segments that an upload may have. */
  readonly maxSegments: number;
  readonly allowance: Allowance;
  /** What the steps of this importer have used of it. */
  readonly usage: Usage;
  /** Bytes of a range that is asked for at once. */
  readonly rangeSize: number;
  /** Milliseconds for a range, and for a blob that comes in one piece, after which the transfer is broken off. */
  readonly transferTime: { readonly range: number; readonly whole: number };
  /** Takes a line for each import that is over. */
  readonly log: (line: string) => void;
  /** Told of what webhooks are to hear of. */
  readonly announce: (...happenings: readonly Happening[]) => void;
}
