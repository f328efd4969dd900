import type { RepositoryName } from "../oci/name.ts";

/** What a request wants to do to a repository. */
export type Action = "pull" | "push" | "delete";

/** Who may do what: the one question that handlers ask. */
export interface Access {
  /** Whether the caller may talk to the registry at all. */
  readonly admitted: boolean;
  allows(name: RepositoryName, action: Action): boolean;
}

/** What a caller without credentials may do. */
export function anonymousAccess(level: "none" | "pull" | "all"): Access {
  return {
    admitted: level !== "none",
    allows: (_name, action) => level === "all" || (level === "pull" && action === "pull"),
  };
}
