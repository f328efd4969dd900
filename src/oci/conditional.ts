import type { Digest } from "./digest.ts";

interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly opaque: string;
}

/** The entity tag of content with this digest: the digest in double quotes (A40). */
export function entityTag(digest: Digest): string {
  return `"${digest}"`;
}

/**
 * Whether `If-None-Match` names what would be sent, so that the answer to GET or HEAD is 304 (RFC 9110, 13.1.2;
 * M10): a list, compared weakly, or `*`. Digests without quotes count as tags, as in distribution (A22).
 * @param etag the current entity tag; undefined if there is nothing to send.
 */
export function ifNoneMatch(header: string | null, etag: string | undefined): boolean {
  if (header === null || etag === undefined) return false;
  return header.trim() === "*" || parseEntityTags(header).some((tag) => tag.opaque === opaqueOf(etag));
}

/**
 * Whether the condition `If-Match` holds (RFC 9110, 13.1.1): a list, compared strongly, or `*` for whatever
 * exists. An absent header always holds, an empty one never.
 * @param etag the current entity tag; undefined if nothing exists.
 */
export function ifMatch(header: string | null, etag: string | undefined): boolean {
  if (header === null) return true;
  if (etag === undefined) return false;
  return (
    header.trim() === "*" || parseEntityTags(header).some((tag) => !tag.weak && tag.opaque === opaqueOf(etag))
  );
}

/**
 * Whether a `Range` beside this `If-Range` is to be served as a range (RFC 9110, 13.1.5; E5). A date never
 * matches, since Skerry sends no `Last-Modified`.
 */
export function ifRange(header: string | null, etag: string): boolean {
  return header === null || header.trim() === etag;
}

function opaqueOf(etag: string): string {
  return etag.slice(1, -1);
}

/** An entity tag may hold commas, so the header is read tag by tag; text without quotes ends at a comma. */
function parseEntityTags(header: string): EntityTag[] {
  const tags: EntityTag[] = [];
  for (const [, weak, quoted, bare] of header.matchAll(/(W\/)?"([^"]*)"|([^\s,"]+)/g)) {
    tags.push({ weak: weak !== undefined, opaque: quoted ?? bare ?? "" });
  }
  return tags;
}
