import type { Digest } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import type { Happening } from "./event.ts";

/** What a tag was set to. */
interface Target {
  readonly digest: Digest;
  readonly mediaType?: string;
  /** Bytes of the manifest. */
  readonly size?: number;
}

/** That a tag names something else than before, if it does. @param restored whether no push made it do so. */
export function tagSetEvent(
  repository: RepositoryName,
  tag: Tag,
  { digest, mediaType, size }: Target,
  previous: Digest | undefined,
  restored = false,
): readonly Happening[] {
  if (previous === digest) return [];
  const type = previous === undefined ? "tag.created" : "tag.moved";
  return [{ type, kind: "tag", repository, tag, digest, mediaType, size, previous, restored }];
}

/** That a tag went. @param digest what it named. */
export function tagDeletedEvent(repository: RepositoryName, tag: Tag, digest: Digest): Happening {
  return { type: "tag.deleted", kind: "tag", repository, tag, digest };
}
