/** Milliseconds that an upstream is left alone which does not say for how long. */
const usualPause = 10_000;
/** Milliseconds that it is left alone at most: a clock of theirs may be wrong by years. */
const longestPause = 3600 * 1000;

/**
 * How long an upstream wants to be left alone, in milliseconds from 1,000 to an hour, by its `Retry-After`: seconds
 * or a date (RFC 9110, 10.2.3).
 * @param now Unix time in milliseconds.
 */
export function retryAfter(header: string | null, now: number): number {
  const text = header?.trim() ?? "";
  const wanted = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  if (Number.isNaN(wanted)) return usualPause;
  return Math.min(Math.max(wanted, 1000), longestPause);
}
