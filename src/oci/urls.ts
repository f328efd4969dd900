/** Which URLs the layers of a pushed manifest may name; unanchored expressions as in distribution (D6, D.3). */
export interface UrlPolicy {
  /** Undefined: every URL that `deny` does not match. */
  readonly allow: readonly RegExp[] | undefined;
  readonly deny: readonly RegExp[];
}

/**
 * The default. Distribution refuses every URL unless told otherwise; the specification has non-distributable
 * layers accepted (OCI requirement 75), so Skerry refuses none unless told otherwise.
 */
export const anyUrl: UrlPolicy = { allow: undefined, deny: [] };

/**
 * The policy of these regular expressions. An empty `allow` leaves the decision to `deny`.
 * @throws SyntaxError if one of them is no regular expression: the configuration is wrong.
 */
export function createUrlPolicy(allow: readonly string[], deny: readonly string[]): UrlPolicy {
  return {
    allow: allow.length === 0 ? undefined : allow.map((pattern) => new RegExp(pattern)),
    deny: deny.map((pattern) => new RegExp(pattern)),
  };
}

/** Whether a layer may name this URL: absolute http or https, no fragment, allowed and not denied (D6). */
export function allowsUrl(policy: UrlPolicy, url: string): boolean {
  if (!/^https?:\/\/[^\s#]+$/i.test(url) || !URL.canParse(url)) return false;
  const allowed = policy.allow?.some((pattern) => pattern.test(url)) ?? true;
  return allowed && !policy.deny.some((pattern) => pattern.test(url));
}
