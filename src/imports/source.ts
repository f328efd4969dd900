import { type Digest, tryParseDigest } from "../oci/digest.ts";
import { type Tag, tryParseRepositoryName, tryParseTag } from "../oci/name.ts";
import type { PullThrough } from "../upstream/pull-through.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";

/** An image of an upstream. */
export interface Source {
  readonly repository: UpstreamRepository;
  readonly reference: Tag | Digest;
  /** The tag that it was named by, also beside a digest. */
  readonly tag: Tag | undefined;
}

/**
 * The image that `<upstream>/<repository>:<tag>`, `…@<digest>` or `…:<tag>@<digest>` names, as clients name it who
 * pull it through this registry; undefined for what names none of an upstream.
 * @throws RegistryError DENIED (403) for one that the configuration does not let through.
 */
export function parseSource(text: string, pullThrough: PullThrough): Source | undefined {
  const {
    path = "",
    tag: tagText,
    digest: digestText,
  } = /^(?<path>[^@]+?)(?::(?<tag>[^/:@]+))?(?:@(?<digest>.+))?$/.exec(text)?.groups ?? {};
  const tag = tagText === undefined ? undefined : tryParseTag(tagText);
  const digest = digestText === undefined ? undefined : tryParseDigest(digestText);
  const isWhole =
    (tagText === undefined) === (tag === undefined) && (digestText === undefined) === (digest === undefined);
  const reference = digest ?? tag;
  const name = tryParseRepositoryName(pullThrough.names.nameOf(path, undefined));
  if (!isWhole || reference === undefined || name === undefined) return undefined;
  const repository = pullThrough.repository(name);
  return repository && { repository, reference, tag };
}
