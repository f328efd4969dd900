import { tryParseRepositoryName } from "../oci/name.ts";
import type { Action } from "./access.ts";
import { allowedActions, type Grant } from "./grants.ts";

/** What a client asks a token for, or is told to ask for: `repository(class):name:action,action` (G.1). */
export interface Scope {
  readonly type: string;
  /** Of a repository (A.5); `""` without one. */
  readonly class: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** What a token allows: one element of its `access` claim (G.4). */
export interface AccessEntry {
  readonly type: string;
  readonly class?: string;
  readonly name: string;
  readonly actions: readonly string[];
  /** Of the catalog, in tokens of our own: patterns of the repositories that it shows. */
  readonly repositories?: readonly string[];
}

const grammar = /^([a-z0-9-]{1,32})(?:\(([a-z0-9-]{1,32})\))?:(.{1,300}):([a-z*]+(?:,[a-z*]+){0,9})$/;

/** The scope that `text` is, or undefined. A name may contain colons, which no repository's does. */
export function tryParseScope(text: string): Scope | undefined {
  const [, type, scopeClass = "", name, actions] = grammar.exec(text) ?? [];
  if (type === undefined || name === undefined || actions === undefined) return undefined;
  return { type, class: scopeClass, name, actions: actions.split(",") };
}

/** What a challenge asks for: the same text whatever the order (M30). */
export function formatScopes(scopes: readonly Scope[]): string {
  return scopes
    .map(({ type, name, actions }) => `${type}:${name}:${[...actions].sort().join(",")}`)
    .sort()
    .join(" ");
}

/** The scope of an action on a repository (G.1): who pushes reads too. */
export function repositoryScope(name: string, action: Action): Scope {
  return { type: "repository", class: "", name, actions: action === "push" ? ["pull", "push"] : [action] };
}

/** The scope of the catalog. */
export const catalogScope: Scope = { type: "registry", class: "", name: "catalog", actions: ["*"] };

/** The scope of the admin API. */
export const adminScope: Scope = { type: "registry", class: "", name: "admin", actions: ["*"] };

/**
 * The part of the scopes that the grants allow, as a token says it. A repository of which nothing is allowed stays,
 * without actions: so it can be told from one that was not asked for.
 */
export function grantedEntries(
  scopes: readonly Scope[],
  grants: readonly Grant[],
  admin: boolean,
): readonly AccessEntry[] {
  return scopes.flatMap((scope): AccessEntry[] => {
    if (scope.type === "repository") return repositoryEntry(scope, grants);
    if (isSame(scope, catalogScope)) return [{ ...entryOf(catalogScope), repositories: visible(grants) }];
    return admin && isSame(scope, adminScope) ? [entryOf(adminScope)] : [];
  });
}

function repositoryEntry(scope: Scope, grants: readonly Grant[]): AccessEntry[] {
  const name = tryParseRepositoryName(scope.name);
  if (name === undefined) return [];
  const wantsAll = scope.actions.includes("*");
  const actions = allowedActions(grants, name).filter((action) => wantsAll || scope.actions.includes(action));
  return [{ type: "repository", ...(scope.class !== "" && { class: scope.class }), name, actions }];
}

function visible(grants: readonly Grant[]): readonly string[] {
  return grants.filter(({ actions }) => actions.includes("pull")).map(({ repositories }) => repositories);
}

function isSame(one: Scope, other: Scope): boolean {
  return one.type === other.type && one.name === other.name;
}

function entryOf({ type, name, actions }: Scope): AccessEntry {
  return { type, name, actions };
}
