import type { RepositoryName } from "../oci/name.ts";
import { allowedActions, type Grant } from "./grants.ts";

/** What a request wants to do to a repository. */
export type Action = "pull" | "push" | "delete";

/** Who asks, and how he said so. The name is for the log: it says nothing about rights. */
export interface Caller {
  readonly name: string;
  /** `session`: by the cookie of the web pages. */
  readonly scheme: "none" | "basic" | "bearer" | "session";
}

/** Who may do what: the questions that handlers ask. */
export interface Access {
  readonly caller: Caller;
  /** Whether the caller may talk to the registry at all. */
  readonly admitted: boolean;
  /** Whether no credentials were sent where somebody could have some: clients send them only when asked to. */
  readonly mustLogIn: boolean;
  /** Whether the caller may use the admin API: robots, garbage collection. */
  readonly admin: boolean;
  allows(name: RepositoryName, action: Action): boolean;
  /** Whether another token might allow more of a repository, because this one was not asked for it. */
  isUnasked(name: RepositoryName): boolean;
  /** Whether the catalog shows a repository; undefined if the caller may not read the catalog. */
  readonly lists: ((name: RepositoryName) => boolean) | undefined;
  /**
   * The classes for which a token names this repository, `""` for an entry without one; empty when it names the
   * repository nowhere or no token was sent (A76, A77).
   */
  classes(name: RepositoryName): readonly string[];
}

/** The access of a caller whose rights are grants. */
export function grantedAccess(caller: Caller, grants: readonly Grant[], admin = false): Access {
  return {
    caller,
    admitted: true,
    mustLogIn: false,
    admin,
    allows: (name, action) => covers(allowedActions(grants, name), action),
    lists: (name) => covers(allowedActions(grants, name), "pull"),
    isUnasked: () => false,
    classes: () => [],
  };
}

/** Whether these actions are enough for what a request wants: a push reads too (G.1). */
export function covers(actions: readonly string[], action: Action): boolean {
  const has = (wanted: Action) => actions.includes(wanted) || actions.includes("*");
  return has(action) && (action !== "push" || has("pull"));
}
