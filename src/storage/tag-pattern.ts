import type { RepositoryName, Tag } from "../oci/name.ts";

/** Tags in repositories, both by pattern. */
export interface TagPattern {
  readonly repository: RegExp;
  readonly tag: RegExp;
}

/**
 * Reads `<repository>:<tag>` patterns in which `*` stands for any characters, slashes included.
 * @throws Error naming a pattern that has no colon or more than one.
 */
export function parseTagPatterns(patterns: readonly string[]): TagPattern[] {
  return patterns.map((pattern) => {
    const [repository, tag, ...rest] = pattern.split(":");
    if (!repository || !tag || rest.length > 0) throw new Error(`not <repository>:<tag>: ${pattern}`);
    return { repository: glob(repository), tag: glob(tag) };
  });
}

/** Whether one of the patterns covers the tag. */
export function matchesTag(patterns: readonly TagPattern[], name: RepositoryName, tag: Tag): boolean {
  return patterns.some((pattern) => pattern.repository.test(name) && pattern.tag.test(tag));
}

function glob(text: string): RegExp {
  const parts = text.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
