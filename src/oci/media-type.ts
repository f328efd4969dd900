import { manifestInvalid } from "./invalid.ts";

export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";
export const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
export const dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

export const ociImageConfig = "application/vnd.oci.image.config.v1+json";
export const dockerImageConfig = "application/vnd.docker.container.image.v1+json";
export const dockerPluginConfig = "application/vnd.docker.plugin.v1+json";

export const dockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
const ociLayer = "application/vnd.oci.image.layer.v1.tar";
const ociNonDistributableLayer = "application/vnd.oci.image.layer.nondistributable.v1.tar";

/** The manifest types that Skerry stores (A13). */
export type ManifestMediaType =
  | typeof ociManifest
  | typeof ociIndex
  | typeof dockerManifest
  | typeof dockerManifestList;

const manifestTypes: ReadonlySet<string> = new Set([
  ociManifest,
  ociIndex,
  dockerManifest,
  dockerManifestList,
]);

/** Whether `text` is exactly one of the four manifest types. */
export function isManifestType(text: string): text is ManifestMediaType {
  return manifestTypes.has(text);
}

/** Whether `text` is the type of an OCI index or of a Docker manifest list. */
export function isIndexType(text: string): text is typeof ociIndex | typeof dockerManifestList {
  return text === ociIndex || text === dockerManifestList;
}

/** Whether the URLs of a layer of this type are fetched by clients, so that the URL policy binds them (D4, D5). */
export function isUrlLayerType(text: string): boolean {
  return (
    text === dockerForeignLayer || isTarType(text, ociLayer) || isTarType(text, ociNonDistributableLayer)
  );
}

/** Whether a layer of this type may be kept elsewhere (D4, D5; OCI requirement 75), compressed or not. */
export function isNonDistributableType(text: string): boolean {
  return text === dockerForeignLayer || isTarType(text, ociNonDistributableLayer);
}

function isTarType(text: string, tar: string): boolean {
  return text === tar || text.startsWith(`${tar}+`);
}

const typeAndSubtype = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * The media type that a `Content-Type` header names: lower case, without its parameters, which are ignored
 * (A55; OCI requirement 69). Undefined if the header is absent or empty.
 * @throws RegistryError MANIFEST_INVALID (400) if it is no media type (A54).
 */
export function parseContentType(header: string | null): string | undefined {
  const text = header?.trim() ?? "";
  if (text === "") return undefined;
  const mediaType = (text.split(";", 1)[0] ?? "").trim().toLowerCase();
  if (!typeAndSubtype.test(mediaType)) throw manifestInvalid(`Content-Type is no media type: ${text}`);
  return mediaType;
}
