import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { RegistryContext } from "./context.ts";

/** Absolute URL of a path of the registry, as the client reaches it: for `Location`. */
export function absoluteUrl(c: RegistryContext, path: string): string {
  return origin(c) + path;
}

/** The service that tokens are for: the host by which the client reaches the registry. */
export function serviceOf(c: RegistryContext): string {
  return new URL(origin(c)).host;
}

/** Path of a blob. */
export function blobPath(name: RepositoryName, digest: Digest): string {
  return `/v2/${name}/blobs/${digest}`;
}

/** Path of a manifest by digest. */
export function manifestPath(name: RepositoryName, digest: Digest): string {
  return `/v2/${name}/manifests/${digest}`;
}

function origin(c: RegistryContext): string {
  const { publicUrl, trustProxy } = c.var.registry.config;
  if (publicUrl !== undefined) return publicUrl;
  const { url } = c.var;
  if (!trustProxy) return url.origin;
  const protocol = first(c.req.header("X-Forwarded-Proto")) ?? url.protocol.slice(0, -1);
  const host = first(c.req.header("X-Forwarded-Host")) ?? url.host;
  return /^https?$/.test(protocol) && /^[\w.:[\]-]+$/.test(host) ? `${protocol}://${host}` : url.origin;
}

function first(header: string | undefined): string | undefined {
  return header?.split(",")[0]?.trim() || undefined;
}
