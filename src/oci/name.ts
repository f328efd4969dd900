import { RegistryError } from "./error.ts";

/** A checked `<name>` (distribution-spec, "Pulling manifests"), at most 255 bytes. */
export type RepositoryName = string & { readonly __brand: "RepositoryName" };

/** A checked tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. */
export type Tag = string & { readonly __brand: "Tag" };

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const namePattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const maxNameLength = 255;

/** The repository name that `text` is, or undefined. */
export function tryParseRepositoryName(text: string): RepositoryName | undefined {
  return text.length <= maxNameLength && namePattern.test(text) ? (text as RepositoryName) : undefined;
}

/**
 * The repository name that `text` is.
 * @throws RegistryError NAME_INVALID (400).
 */
export function parseRepositoryName(text: string): RepositoryName {
  const name = tryParseRepositoryName(text);
  if (name === undefined) throw new RegistryError("NAME_INVALID", { detail: { name: text.slice(0, 300) } });
  return name;
}

/** The tag that `text` is, or undefined. */
export function tryParseTag(text: string): Tag | undefined {
  return tagPattern.test(text) ? (text as Tag) : undefined;
}
