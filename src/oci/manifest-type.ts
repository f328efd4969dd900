import { manifestInvalid } from "./invalid.ts";
import type { JsonObject } from "./json.ts";
import { readField, refuse, text } from "./json-field.ts";
import {
  dockerManifest,
  dockerManifestList,
  isIndexType,
  isManifestType,
  type ManifestMediaType,
  ociIndex,
  ociManifest,
} from "./media-type.ts";

/** What distribution answers when the body's own media type is another one than it was sent with (D.1). */
const declaredTypeRule: Readonly<Record<ManifestMediaType, string>> = {
  [dockerManifest]: "mediaType in manifest should be",
  [dockerManifestList]: "mediaType in manifest list should be",
  [ociManifest]: "if present, mediaType in manifest should be",
  [ociIndex]: "if present, mediaType in image index should be",
};

/**
 * The type of the manifest that a client sends: `contentType`, without it what the body declares, without that
 * too what the body looks like. All that is known of it must agree (D.1, M14).
 * @throws RegistryError MANIFEST_INVALID (400).
 */
export function manifestType(body: JsonObject, contentType: string | undefined): ManifestMediaType {
  const declared = readField(body, "mediaType", text, "", refuse) || undefined;
  const mediaType = contentType ?? declared ?? typeOfShape(body) ?? "";
  if (!isManifestType(mediaType)) {
    throw manifestInvalid(`unsupported manifest media type and no default available: ${mediaType}`);
  }
  checkShape(body, mediaType);
  const mayBeAbsent = mediaType === ociManifest || mediaType === ociIndex;
  if (declared === mediaType || (declared === undefined && mayBeAbsent)) return mediaType;
  throw manifestInvalid(`${declaredTypeRule[mediaType]} '${mediaType}' not '${declared ?? ""}'`);
}

/**
 * The type of a stored manifest: what it declares, without that an index if it has `manifests`, else an OCI
 * image manifest (A43). Undefined if it declares another type.
 */
export function storedManifestType(body: JsonObject): ManifestMediaType | undefined {
  const mediaType = body.mediaType || (typeOfShape(body) ?? ociManifest);
  return typeof mediaType === "string" && isManifestType(mediaType) ? mediaType : undefined;
}

function typeOfShape(body: JsonObject): ManifestMediaType | undefined {
  if (has(body, "manifests")) return ociIndex;
  return has(body, "config") ? ociManifest : undefined;
}

function checkShape(body: JsonObject, mediaType: ManifestMediaType): void {
  if (!isIndexType(mediaType)) {
    if (has(body, "manifests")) throw manifestInvalid("expected manifest but found index");
  } else if (has(body, "config") || has(body, "layers")) {
    throw manifestInvalid("expected index but found manifest");
  } else if (!has(body, "manifests")) {
    throw manifestInvalid("manifests: an array expected");
  }
}

/** JSON null counts as absent, as in Go. */
function has(body: JsonObject, key: string): boolean {
  return body[key] !== undefined && body[key] !== null;
}
