import type { RepositoryName, Tag } from "../oci/name.ts";
import { matchesWildcard } from "../oci/wildcard.ts";

/** Tags in repositories, both by pattern (oci/wildcard.ts). */
export interface TagPattern {
  readonly repository: string;
  readonly tag: string;
}

/**
 * Reads `<repository>:<tag>` patterns in which `*` stands for any characters, slashes included.
 * @throws Error naming a pattern that has no colon or more than one.
 */
export function parseTagPatterns(patterns: readonly string[]): TagPattern[] {
  return patterns.map((pattern) => {
    const [repository, tag, ...rest] = pattern.split(":");
    if (!repository || !tag || rest.length > 0) throw new Error(`not <repository>:<tag>: ${pattern}`);
    return { repository, tag };
  });
}

/** Whether one of the patterns covers the tag. */
export function matchesTag(patterns: readonly TagPattern[], name: RepositoryName, tag: Tag): boolean {
  return patterns.some(
    (pattern) => matchesWildcard(pattern.repository, name) && matchesWildcard(pattern.tag, tag),
  );
}
