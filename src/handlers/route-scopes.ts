import { adminScope, catalogScope, repositoryScope, type Scope } from "../auth/scope.ts";
import { tryParseRepositoryName } from "../oci/name.ts";
import type { RegistryContext } from "./context.ts";

/** The paths of a repository, so that its name is as long as the router takes it. */
const repositoryPath =
  /^\/v2\/(?<name>.+)\/(?:(?<writers>(?:blobs\/uploads|_skerry\/imports)(?:\/[^/]*)?)|manifests\/[^/]+|blobs\/[^/]+|tags\/list|referrers\/[^/]+|_(?:skerry|oci)\/.+?)\/?$/;

/**
 * The scopes that a token needs for this request (G.1, M29): what a 401 tells the client to ask for. None for a
 * request that needs no more than to be let in, or that names no repository.
 */
export function routeScopes(c: RegistryContext): readonly Scope[] {
  const { path, method } = c.req;
  if (/^\/v2\/_catalog\/?$/.test(path)) return [catalogScope];
  if (path.startsWith("/v2/_skerry/")) return [adminScope];
  const groups = repositoryPath.exec(path)?.groups;
  const name = tryParseRepositoryName(groups?.name ?? "");
  if (name === undefined) return [];
  const from = tryParseRepositoryName(c.req.query("from") ?? "");
  const mounted = method === "POST" && from !== undefined ? [repositoryScope(from, "pull")] : [];
  return [repositoryScope(name, actionOf(method, groups?.writers !== undefined)), ...mounted];
}

function actionOf(method: string, isForWriters: boolean) {
  if (isForWriters) return "push";
  if (method === "DELETE") return "delete";
  return method === "GET" || method === "HEAD" || method === "OPTIONS" ? "pull" : "push";
}
