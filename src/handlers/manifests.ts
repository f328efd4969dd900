import { asksForPulls, ruleFor } from "../maintenance/retention/rules.ts";
import { type Accept, accepts, names, parseAccept } from "../oci/accept.ts";
import { entityTag, ifNoneMatch } from "../oci/conditional.ts";
import { RegistryError } from "../oci/error.ts";
import { manifestOf } from "../oci/manifest.ts";
import { dockerManifest, dockerManifestList, ociIndex, ociManifest } from "../oci/media-type.ts";
import type { RepositoryName } from "../oci/name.ts";
import { linuxAmd64Child } from "../oci/platform.ts";
import { type ManifestHead, readManifest, type StoredManifest, statManifest } from "../storage/manifests.ts";
import {
  announce,
  nearContent,
  type RegistryContext,
  repositoryFor,
  type TagOrDigest,
  tagOrDigestParam,
} from "./context.ts";
import { findThrough, type Located } from "./pull-through.ts";

/** A manifest on its way out; `read` gives undefined when it is gone. */
type Found = ManifestHead & { read(): Promise<StoredManifest | undefined> };

/**
 * GET and HEAD `/v2/<name>/manifests/<tag or digest>` (distribution-spec "Pulling manifests"; A20 to A43 with
 * M8 to M10): the stored bytes, under the media type they were pushed with.
 */
export async function getManifest(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "pull");
  const wanted = tagOrDigestParam(c);
  const accept = parseAccept(c.req.header("Accept") ?? null);
  if (wanted === undefined) throw unknown(c, name, wanted);
  const { found, headers: warning } = await locate(c, name, wanted);
  if (found === undefined) throw unknown(c, name, wanted);
  const served = "tag" in wanted ? await forOldClients(c, name, found, accept) : found;
  if (served === undefined) throw unknown(c, name, wanted);
  refuseUnlessAccepted(served.mediaType, accept);
  recordPull(c, name, wanted);

  const headers = {
    ...warning,
    "Content-Type": served.mediaType,
    "Docker-Content-Digest": served.digest,
    ETag: entityTag(served.digest),
    Vary: "Accept",
    "Cache-Control": "tag" in wanted ? "no-cache, no-transform" : "max-age=31536000, immutable, no-transform",
  };
  if (ifNoneMatch(c.req.header("If-None-Match") ?? null, headers.ETag)) {
    return new Response(null, { status: 304, headers });
  }
  const length = { "Content-Length": String(served.size) };
  if (c.req.method === "HEAD") return new Response(null, { headers: { ...headers, ...length } });
  const manifest = await served.read();
  if (manifest === undefined) throw unknown(c, name, wanted);
  const { digest, mediaType, size } = served;
  const tag = "tag" in wanted ? wanted.tag : undefined;
  announce(c, { type: "pull", kind: "manifest", repository: name, digest, mediaType, size, tag });
  return new Response(manifest.bytes, { headers: { ...headers, ...length } });
}

/** Notes the pull, after its answer, where a rule of retention asks for pulls. */
function recordPull(c: RegistryContext, name: RepositoryName, wanted: TagOrDigest): void {
  const { config, pullTimes, store } = c.var.registry;
  const rule = ruleFor(config.retention, name);
  if (rule === undefined || !asksForPulls(rule) || config.readOnly) return;
  const pulled = "tag" in wanted ? wanted.tag : wanted.digest;
  c.var.trace.deferred.push(() => pullTimes.record(store, name, pulled));
}

/** What the registry has, or an upstream of it. */
async function locate(
  c: RegistryContext,
  name: RepositoryName,
  wanted: TagOrDigest,
): Promise<Located<Found>> {
  const repository = c.var.registry.pullThrough.repository(name);
  if (repository !== undefined) return findThrough(c, repository, wanted, () => find(c, name, wanted));
  return { found: await find(c, name, wanted), headers: {} };
}

async function find(
  c: RegistryContext,
  name: RepositoryName,
  wanted: TagOrDigest,
): Promise<Found | undefined> {
  const { store, tagReader } = c.var.registry;
  const needsNoBody = c.req.method === "HEAD";
  if ("tag" in wanted) {
    if (needsNoBody) return readable(c, name, await tagReader.stat(store, name, wanted.tag));
    return atHand(await tagReader.read(nearContent(c), name, wanted.tag));
  }
  if (needsNoBody) return readable(c, name, await statManifest(store, name, wanted.digest));
  return atHand(await nearContent(c).manifest(name, wanted.digest));
}

function atHand(manifest: StoredManifest | undefined): Found | undefined {
  return manifest && { ...manifest, read: async () => manifest };
}

function readable(
  c: RegistryContext,
  name: RepositoryName,
  head: ManifestHead | undefined,
): Found | undefined {
  return head && { ...head, read: () => readManifest(c.var.registry.store, name, head.digest) };
}

/**
 * A manifest list pulled by tag is replaced by its linux/amd64 child for clients from before manifest lists:
 * those whose Accept names schema 2 and not the list (A33 to A38, M9).
 */
async function forOldClients(
  c: RegistryContext,
  name: RepositoryName,
  found: Found,
  accept: Accept,
): Promise<Found | undefined> {
  if (found.mediaType !== dockerManifestList) return found;
  if (!names(accept, dockerManifest) || names(accept, dockerManifestList)) return found;
  const list = await found.read();
  const manifest = list && manifestOf(list.bytes);
  const child = manifest && linuxAmd64Child(manifest);
  if (child === undefined) return undefined;
  return (await locate(c, name, { digest: child.digest })).found;
}

/** OCI types are served only to those who take them (A28, A29 as intended); Docker's to everybody (A30, A31). */
function refuseUnlessAccepted(mediaType: string, accept: Accept): void {
  const kind = mediaType === ociManifest ? "manifest" : mediaType === ociIndex ? "index" : undefined;
  if (kind === undefined || accepts(accept, mediaType)) return;
  const plural = kind === "index" ? "indexes" : "manifests";
  throw new RegistryError("MANIFEST_UNKNOWN", {
    message: `OCI ${kind} found, but accept header does not support OCI ${plural}`,
    headers: { Vary: "Accept" },
  });
}

function unknown(c: RegistryContext, name: RepositoryName, wanted: TagOrDigest | undefined): RegistryError {
  const tag = wanted === undefined ? c.req.param("reference") : "tag" in wanted && wanted.tag;
  const detail =
    wanted !== undefined && "digest" in wanted
      ? `unknown manifest name=${name} revision=${wanted.digest}`
      : `unknown tag=${tag}`;
  return new RegistryError("MANIFEST_UNKNOWN", { detail, headers: { Vary: "Accept" } });
}
