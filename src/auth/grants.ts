import * as v from "valibot";
import type { RepositoryName } from "../oci/name.ts";
import { matchesWildcard } from "../oci/wildcard.ts";
import type { Action } from "./access.ts";

/** What may be done to the repositories of one pattern. */
export interface Grant {
  /** A repository name in which `*` stands for any characters, slashes included. */
  readonly repositories: string;
  readonly actions: readonly Action[];
}

const actions = ["delete", "pull", "push"] as const satisfies readonly Action[];

/** Everything, everywhere. */
export const everything: readonly Grant[] = [{ repositories: "*", actions }];

/** The actions that the grants allow on a repository, in alphabetical order. */
export function allowedActions(grants: readonly Grant[], name: RepositoryName): readonly Action[] {
  return actions.filter((action) =>
    grants.some((grant) => grant.actions.includes(action) && matchesWildcard(grant.repositories, name)),
  );
}

/** Grants to pull from repositories, by pattern. */
export function pullGrants(patterns: readonly string[]): readonly Grant[] {
  return patterns.map((repositories) => ({ repositories, actions: ["pull"] }));
}

/** A pattern of repository names, as the configuration and the API take it. */
export const repositoryPattern = v.pipe(v.string(), v.regex(/^[a-z0-9*][a-z0-9._/*-]{0,254}$/));

/** Patterns of repository names. @throws Error naming what is none. */
export function parsePatterns(texts: readonly string[]): readonly string[] {
  const wrong = texts.find((text) => !v.is(repositoryPattern, text));
  if (wrong !== undefined) throw new Error(`not a pattern of repository names: ${wrong}`);
  return texts;
}

const actionList = v.pipe(
  v.string(),
  v.transform((text) => text.split(",")),
  v.array(v.picklist(actions)),
  v.check((list) => !list.includes("push") || list.includes("pull"), "push needs pull"),
);

/** Grants as JSON: `{"team/*": "pull,push"}`. `pattern` says what a key may be. */
export function grantsSchema(
  pattern: v.GenericSchema<string, string>,
): v.GenericSchema<Record<string, string>, readonly Grant[]> {
  return v.pipe(
    v.record(pattern, actionList),
    v.transform((record) =>
      Object.entries(record).map(([repositories, list]) => ({ repositories, actions: list })),
    ),
  );
}

/** Grants as JSON, read back by `grantsSchema`. */
export function grantsJson(grants: readonly Grant[]): Record<string, string> {
  return Object.fromEntries(grants.map((grant) => [grant.repositories, grant.actions.join(",")]));
}
