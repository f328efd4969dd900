import type { RepositoryName } from "../oci/name.ts";

/**
 * Paths of the web pages. Below `/-/`, since no component of a repository's name is `-`: within, the next `/-/`
 * ends the name.
 */
export const paths = {
  home: "/",
  signIn: "/-/sign-in",
  signOut: "/-/sign-out",
  storage: "/-/storage",
  garbageCollection: "/-/garbage-collection",
  repository: (name: RepositoryName) => `/-/repositories/${name}`,
  deleteRepository: (name: RepositoryName) => `/-/repositories/${name}/-/delete`,
  manifest: (name: RepositoryName, reference: string) => `/-/repositories/${name}/-/manifests/${reference}`,
  deleteManifest: (name: RepositoryName, reference: string) =>
    `/-/repositories/${name}/-/manifests/${reference}/delete`,
  retention: (name: RepositoryName) => `/-/repositories/${name}/-/retention`,
  restore: (name: RepositoryName, tag: string) => `/-/repositories/${name}/-/tags/${tag}/restore`,
  history: (name: RepositoryName, tag: string) => `/-/repositories/${name}/-/tags/${tag}/history`,
} as const;

/** The path with these parameters; those without a value are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
