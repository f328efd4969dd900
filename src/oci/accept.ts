import { parseAccept as parseMediaRanges } from "hono/utils/accept";

/** A parsed `Accept` header: the weight (0 to 1) of each media range in lower case. Empty: anything goes. */
export interface Accept {
  readonly weights: ReadonlyMap<string, number>;
}

const mediaRange = /^(?:\*\/\*|[^\s/*]+\/(?:\*|[^\s/*]+))$/;

/**
 * The media ranges of an `Accept` header, several lines of which are joined by `, ` (A10; RFC 9110, 12.5.1).
 * Parameters but `q` are ignored, a weight that is no number counts as 1, and items that are no media range are
 * skipped: a header that holds nothing else counts as absent.
 */
export function parseAccept(header: string | null): Accept {
  const weights = new Map<string, number>();
  for (const { type, q } of parseMediaRanges(header ?? "")) {
    const range = type.toLowerCase();
    if (mediaRange.test(range)) weights.set(range, Math.max(q, weights.get(range) ?? 0));
  }
  return { weights };
}

/**
 * Whether the client takes `mediaType` (lower case). An absent header takes everything (M8), the most specific
 * range that matches decides, and the weight 0 excludes.
 */
export function accepts(accept: Accept, mediaType: string): boolean {
  const { weights } = accept;
  if (weights.size === 0) return true;
  const wildcard = `${mediaType.slice(0, mediaType.indexOf("/"))}/*`;
  return (weights.get(mediaType) ?? weights.get(wildcard) ?? weights.get("*/*") ?? 0) > 0;
}

/** Whether the client asks for `mediaType` by its name, not by a wildcard or by silence (M9). */
export function names(accept: Accept, mediaType: string): boolean {
  return (accept.weights.get(mediaType) ?? 0) > 0;
}
