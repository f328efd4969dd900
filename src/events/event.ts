import type { Digest } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";

export const eventTypes = [
  "push",
  "pull",
  "mount",
  "delete",
  "tag.created",
  "tag.moved",
  "tag.deleted",
  "tag.expired",
] as const;

export type EventType = (typeof eventTypes)[number];

/** What happened in a repository, as whoever made it happen tells it. */
export interface Happening {
  readonly type: EventType;
  readonly repository: RepositoryName;
  /** What it happened to. Events of tags are of the kind `tag`. */
  readonly kind: "manifest" | "blob" | "tag";
  /** The manifest or blob; of a tag, what it names, or named until it went. */
  readonly digest?: Digest | undefined;
  readonly mediaType?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  /** Of a push or pull by tag, and of a tag's own events. */
  readonly tag?: Tag | undefined;
  /** What a tag that moved named before. */
  readonly previous?: Digest | undefined;
  /** Whether a tag moved without a push, back to what it named earlier. */
  readonly restored?: boolean;
  /** The repository that a blob was mounted from. */
  readonly from?: RepositoryName | undefined;
}

/** Of a tag that retention removed, and what it named. */
export function tagExpired(
  repository: RepositoryName,
  tag: Tag,
  { digest, mediaType, size }: Pick<Required<Happening>, "digest" | "mediaType" | "size">,
): Happening {
  return { type: "tag.expired", kind: "tag", repository, tag, digest, mediaType, size };
}

/** Where a happening comes from. */
export interface Circumstances {
  /** Scheme and host of the registry; undefined where no request told, and no `PUBLIC_URL`. */
  readonly origin: string | undefined;
  /** The request, if it was one: not garbage collection. */
  readonly request?: {
    readonly id: string;
    readonly method: string;
    readonly address?: string | undefined;
    readonly agent?: string | undefined;
  };
  /** Name of the account; undefined for who has none. */
  readonly actor?: string | undefined;
}

/** An event as it is queued. Its id stays the same however often it is delivered. */
export interface RegistryEvent extends Happening, Circumstances {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
}
