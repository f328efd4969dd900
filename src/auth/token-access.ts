import * as v from "valibot";
import { matchesWildcard } from "../oci/wildcard.ts";
import { type Access, type Caller, covers } from "./access.ts";
import { allowedActions, type Grant } from "./grants.ts";
import { type AccessEntry, adminScope, catalogScope, type Scope } from "./scope.ts";

const strings = v.array(v.string());
const entry = v.object({
  type: v.string(),
  class: v.optional(v.string()),
  name: v.string(),
  actions: strings,
  repositories: v.optional(strings),
});

/** The `access` claim of a token; elements that are not as they should be allow nothing (G.4). */
export function readEntries(claim: unknown): readonly AccessEntry[] {
  if (!Array.isArray(claim)) return [];
  return claim.flatMap((element): AccessEntry[] => {
    const result = v.safeParse(entry, element);
    return result.success ? [result.output as AccessEntry] : [];
  });
}

/**
 * The access of a caller with a token.
 * @param everybody what needs no token at all, and is not taken away by one.
 * @param ours whether the token is of this registry: no other issuer makes an admin.
 */
export function tokenAccess(
  caller: Caller,
  entries: readonly AccessEntry[],
  everybody: readonly Grant[],
  ours: boolean,
): Access {
  const catalog = find(entries, catalogScope);
  const entriesOf = (name: string) =>
    entries.filter((each) => each.type === "repository" && each.name === name);
  return {
    caller,
    admitted: true,
    mustLogIn: false,
    admin: ours && find(entries, adminScope) !== undefined,
    allows: (name, action) =>
      covers(
        [...entriesOf(name).flatMap(({ actions }) => actions), ...allowedActions(everybody, name)],
        action,
      ),
    lists: catalog && ((name) => listed(catalog, name, ours)),
    // Another token server may leave out what it does not allow.
    isUnasked: (name) => ours && entriesOf(name).length === 0,
    classes: (name) =>
      entriesOf(name)
        .filter(({ actions }) => actions.length > 0)
        .map((each) => each.class ?? ""),
  };
}

/** Another issuer's token for the catalog shows all of it, as in distribution; one of ours, what it says. */
function listed(catalog: AccessEntry, name: string, ours: boolean): boolean {
  if (!ours) return true;
  return (catalog.repositories ?? []).some((pattern) => matchesWildcard(pattern, name));
}

function find(entries: readonly AccessEntry[], { type, name }: Scope): AccessEntry | undefined {
  return entries.find((each) => each.type === type && each.name === name && each.actions.includes("*"));
}
