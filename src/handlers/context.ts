import type { Context } from "hono";
import type { Access, Action } from "../auth/access.ts";
import { type Happening, tagExpired } from "../events/event.ts";
import type { ExpiredTag } from "../maintenance/gc/collector.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import {
  parseRepositoryName,
  type RepositoryName,
  type Tag,
  tryParseRepositoryName,
  tryParseTag,
} from "../oci/name.ts";
import type { Registry } from "../registry.ts";
import { NearContent } from "../storage/near-content.ts";
import { refused } from "./refusal.ts";
import type { Trace } from "./trace.ts";

/** What the middleware puts into the context of every request. */
export interface AppEnv {
  readonly Variables: {
    /** The parts of the registry, what is asked of its bindings counted. */
    readonly registry: Registry;
    readonly trace: Trace;
    /** The URL of the request. */
    readonly url: URL;
    /** The methods that the route has a handler for. */
    readonly methods: readonly string[];
    /** Below `/v2/` it is always there: nothing else is reached before. */
    readonly access: Access;
    /** Why credentials were not good, for the log. */
    readonly refusal: string | undefined;
  };
}

export type RegistryContext = Context<AppEnv>;

/**
 * The repository of the route, once the caller may do `action` to it. Writes also need a registry that takes
 * them.
 * @throws RegistryError NAME_INVALID (400), UNAUTHORIZED (401), DENIED (403), UNSUPPORTED (405).
 */
export function repositoryFor(c: RegistryContext, action: Action): RepositoryName {
  const name = parseRepositoryName(c.req.param("name") ?? "");
  c.var.trace.repository = name;
  if (!c.var.access.allows(name, action)) throw refused(c);
  if (action !== "pull") refuseUnlessWritable(c, name, action);
  return name;
}

/** The 405 of a registry, or a repository, that takes no writes (A4, A65, A80, A81, M16). */
function refuseUnlessWritable(c: RegistryContext, name: RepositoryName, action: Action): void {
  const { config, isPullThrough } = c.var.registry;
  const message = isPullThrough(name)
    ? "the repository mirrors another registry"
    : config.readOnly
      ? "the registry is read-only"
      : action === "delete" && !config.deleteEnabled
        ? "deleting is switched off"
        : undefined;
  if (message === undefined) return;
  throw new RegistryError("UNSUPPORTED", { message, headers: { Allow: allowedMethods(c) } });
}

/**
 * The methods of the route, as `Allow` lists them (P7, A4): without those that the configuration refuses, or that
 * a mirror does. An upload or import is for writers alone, and cancelling one deletes nothing.
 */
export function allowedMethods(c: RegistryContext): string {
  const { config, isPullThrough } = c.var.registry;
  const name = tryParseRepositoryName(c.req.param("name") ?? "");
  const isForWriters = c.req.param("session") !== undefined || /\/_skerry\/imports(?:\/|$)/.test(c.req.path);
  const isFixed = name !== undefined && (config.readOnly || isPullThrough(name));
  const keepsAll = name !== undefined && !config.deleteEnabled && !isForWriters;
  return c.var.methods
    .filter((method) => !isFixed || (method === "GET" && !isForWriters))
    .filter((method) => !keepsAll || method !== "DELETE")
    .flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
    .sort()
    .join(", ");
}

/** The digest of the route. @throws RegistryError DIGEST_INVALID (400). */
export function digestParam(c: RegistryContext): Digest {
  return parseDigest(c.req.param("digest") ?? "");
}

/** What a manifest route names: one of the two. */
export type TagOrDigest = { readonly tag: Tag } | { readonly digest: Digest };

/**
 * The tag or digest of a manifest route. With a colon it is a digest and never a tag (M7).
 * @returns undefined for what can be neither.
 * @throws RegistryError DIGEST_INVALID (400).
 */
export function tagOrDigestParam(c: RegistryContext): TagOrDigest | undefined {
  const text = c.req.param("reference") ?? "";
  if (text.includes(":")) return { digest: parseDigest(text) };
  const tag = tryParseTag(text);
  return tag && { tag };
}

/** Manifests and blobs as this request reads them, once the caller may pull from their repository. */
export function nearContent(c: RegistryContext): NearContent {
  const { store, edgeCache, config } = c.var.registry;
  const origin = config.publicUrl ?? c.var.url.origin;
  return new NearContent(store, edgeCache, { origin, defer: (work) => defer(c, work) });
}

/** Has webhooks told after the answer, whatever that is, of what happened by then. */
export function announce(c: RegistryContext, ...happenings: readonly Happening[]): void {
  c.var.trace.happenings.push(...happenings);
}

/** Has webhooks told of the tags that a step of garbage collection removes. */
export function announceExpiry(c: RegistryContext): (expired: ExpiredTag) => void {
  return ({ name, tag, target }) => announce(c, tagExpired(name, tag, target));
}

/** Has work done after the answer, and after a client that hangs up. */
export function defer(c: RegistryContext, work: () => Promise<unknown>): void {
  c.var.trace.deferred.push(work);
}

/** Does work that must reach its end even if the client hangs up, and waits for it. */
export function seeThrough<Result>(c: RegistryContext, work: Promise<Result>): Promise<Result> {
  // Its failure is the answer's, and reported there.
  c.executionCtx.waitUntil(work.catch(() => undefined));
  return work;
}
