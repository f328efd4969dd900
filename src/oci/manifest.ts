import { type Descriptor, hasDigest, readDescriptor, type UncheckedDescriptor } from "./descriptor.ts";
import { parseDigest } from "./digest.ts";
import { manifestInvalid } from "./invalid.ts";
import { type JsonObject, parseJsonObject, tryParseJsonObject } from "./json.ts";
import {
  type Annotations,
  annotations,
  type Complain,
  integer,
  list,
  readField,
  refuse,
  text,
  tolerate,
} from "./json-field.ts";
import { manifestType, storedManifestType } from "./manifest-type.ts";
import { isIndexType, type ManifestMediaType } from "./media-type.ts";
import {
  checkCandidates,
  imageCandidates,
  indexCandidates,
  type Reference,
  type ReferenceRules,
  referencesOf,
} from "./reference.ts";

/** The largest manifest in bytes: the specification asks for 4 MB, distribution reads 4 MiB (A50, C1). */
export const maxManifestSize = 4 * 1024 * 1024;

interface Common {
  readonly mediaType: ManifestMediaType;
  readonly subject?: Descriptor | undefined;
  readonly artifactType?: string | undefined;
  readonly annotations?: Annotations | undefined;
  /** What the manifest refers to, in order and without repetition; the subject is not among them. */
  readonly references: readonly Reference[];
}

export interface ImageManifest extends Common {
  readonly kind: "image";
  /** Absent only in what others have stored. */
  readonly config?: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
}

export interface ImageIndex extends Common {
  readonly kind: "index";
  readonly manifests: readonly Descriptor[];
}

/** An image manifest or an image index, of OCI or of Docker (image-spec, manifest.md and image-index.md). */
export type Manifest = ImageManifest | ImageIndex;

/**
 * The manifest that a client sends (D.1, D.2).
 * @param contentType what `parseContentType` made of the request; without it the body decides.
 * @throws RegistryError MANIFEST_INVALID (400) for what is no manifest, contradicts itself or `contentType`, or
 * has too many references; DIGEST_INVALID (400) for faulty digests, see `checkCandidates`.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string | undefined,
  rules: ReferenceRules,
): Manifest {
  const body = parseJsonObject(bytes);
  const mediaType = manifestType(body, contentType);
  checkSchemaVersion(body, mediaType);
  const draft = readDraft(body, mediaType, refuse);
  checkCandidates(candidatesOf(draft), rules);
  if (draft.subject !== undefined) parseDigest(draft.subject.digest);
  return finish(draft);
}

/**
 * The manifest that stored bytes are, whoever wrote them: what is faulty in it counts as absent. Undefined for
 * what distribution would not serve as a manifest either (C2). Never throws.
 */
export function manifestOf(bytes: Uint8Array): Manifest | undefined {
  const body = tryParseJsonObject(bytes);
  if (body?.schemaVersion !== 2) return undefined;
  const mediaType = storedManifestType(body);
  return mediaType === undefined ? undefined : finish(readDraft(body, mediaType, tolerate));
}

function checkSchemaVersion(body: JsonObject, mediaType: ManifestMediaType): void {
  const version = readField(body, "schemaVersion", integer, "", refuse) ?? 0;
  if (version === 2) return;
  throw manifestInvalid(
    isIndexType(mediaType)
      ? `unrecognized manifest list schema version ${version}, expected 2`
      : `unrecognized manifest schema version ${version}`,
  );
}

/** A manifest whose digests are not checked. */
interface Draft {
  readonly mediaType: ManifestMediaType;
  readonly config: UncheckedDescriptor;
  readonly layers: readonly UncheckedDescriptor[];
  readonly manifests: readonly UncheckedDescriptor[];
  readonly subject: UncheckedDescriptor | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Annotations | undefined;
}

/** An absent config reads as a descriptor without digest, and fails as one (D10). */
function readDraft(body: JsonObject, mediaType: ManifestMediaType, complain: Complain): Draft {
  const descriptors = (key: string) =>
    (readField(body, key, list, "", complain) ?? []).map((value, index) =>
      readDescriptor(value, `${key}[${index}]`, complain),
    );
  return {
    mediaType,
    config: readDescriptor(body.config ?? {}, "config", complain),
    layers: descriptors("layers"),
    manifests: descriptors("manifests"),
    subject: body.subject == null ? undefined : readDescriptor(body.subject, "subject", complain),
    artifactType: readField(body, "artifactType", text, "", complain),
    annotations: readField(body, "annotations", annotations, "", complain),
  };
}

function candidatesOf(draft: Draft) {
  return isIndexType(draft.mediaType)
    ? indexCandidates(draft.manifests)
    : imageCandidates(draft.config, draft.layers);
}

function finish(draft: Draft): Manifest {
  const common: Common = {
    mediaType: draft.mediaType,
    subject: draft.subject !== undefined && hasDigest(draft.subject) ? draft.subject : undefined,
    artifactType: draft.artifactType,
    annotations: draft.annotations,
    references: referencesOf(candidatesOf(draft)),
  };
  if (isIndexType(draft.mediaType)) {
    return { kind: "index", ...common, manifests: draft.manifests.filter(hasDigest) };
  }
  const config = hasDigest(draft.config) ? draft.config : undefined;
  return { kind: "image", ...common, config, layers: draft.layers.filter(hasDigest) };
}
