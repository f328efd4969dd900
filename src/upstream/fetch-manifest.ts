import { type Digest, digestOf, hasDigest, tryParseDigest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { type Manifest, maxManifestSize, parseManifest } from "../oci/manifest.ts";
import {
  dockerManifest,
  dockerManifestList,
  ociIndex,
  ociManifest,
  parseContentType,
} from "../oci/media-type.ts";
import type { Tag } from "../oci/name.ts";
import type { ReferenceRules } from "../oci/reference.ts";
import type { UpstreamClient, UpstreamRequest } from "./client.ts";
import { discard } from "./transport.ts";
import { unreachable, unusable } from "./upstream-error.ts";
import type { UpstreamRepository } from "./upstreams.ts";

/** A manifest as an upstream gave it, checked against its digest. */
export interface FetchedManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly manifest: Manifest;
}

/** All that we take, whatever the client does: what is stored is what the upstream has. */
const accept = [ociManifest, ociIndex, dockerManifest, dockerManifestList].join(", ");

/**
 * Gets a manifest from an upstream.
 * @throws UpstreamError; 502 for bytes of another digest, and for what is no manifest.
 */
export async function fetchManifest(
  client: UpstreamClient,
  repository: UpstreamRepository,
  wanted: Tag | Digest,
  rules: ReferenceRules,
): Promise<FetchedManifest> {
  const request = requestOf(repository, wanted, "GET");
  const { response, bytes } = await client.read(repository, `manifests/${wanted}`, request, maxManifestSize);
  if (!response.ok) throw unreachable(`a manifest with status ${response.status}`);
  const promised = tryParseDigest(wanted) ?? announcedDigest(response);
  const digest = promised ?? (await digestOf(bytes, "sha256"));
  if (!(await hasDigest(bytes, digest))) throw unreachable("a manifest of another digest");
  try {
    const contentType = parseContentType(response.headers.get("Content-Type"));
    return { digest, bytes, manifest: parseManifest(bytes, contentType, rules) };
  } catch (cause) {
    // Without a digest it may be the page of a proxy that is out of order.
    const isCertain = promised !== undefined && cause instanceof RegistryError;
    throw isCertain ? unusable(cause) : unreachable(cause);
  }
}

/**
 * The digest that a tag has at the upstream, without getting its manifest, which some upstreams count.
 * @returns undefined if the upstream does not say it that way.
 * @throws UpstreamError
 */
export async function headDigest(
  client: UpstreamClient,
  repository: UpstreamRepository,
  tag: Tag,
): Promise<Digest | undefined> {
  const response = await client.open(repository, `manifests/${tag}`, requestOf(repository, tag, "HEAD"));
  await discard(response);
  return response.ok ? announcedDigest(response) : undefined;
}

function announcedDigest(response: Response): Digest | undefined {
  return tryParseDigest(response.headers.get("Docker-Content-Digest") ?? "");
}

function requestOf(
  { name }: UpstreamRepository,
  wanted: Tag | Digest,
  method: UpstreamRequest["method"],
): UpstreamRequest {
  const isDigest = wanted.includes(":");
  const detail = isDigest ? `unknown manifest name=${name} revision=${wanted}` : `unknown tag=${wanted}`;
  return { method, headers: { Accept: accept }, missing: ["MANIFEST_UNKNOWN", detail] };
}
