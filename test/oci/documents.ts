import { type Digest, digestFrom } from "../../src/oci/digest.ts";
import { ociImageConfig, ociManifest } from "../../src/oci/media-type.ts";
import type { ReferenceRules } from "../../src/oci/reference.ts";
import { anyUrl } from "../../src/oci/urls.ts";

export const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";

/** 800 references and any URL: the defaults. */
export const defaultRules: ReferenceRules = { maxReferences: 800, urls: anyUrl };

export function digest(n: number): Digest {
  return digestFrom("sha256", n.toString(16).padStart(64, "0"));
}

export function descriptor(n: number, mediaType = layerType) {
  return { mediaType, digest: digest(n), size: n };
}

/** An OCI image manifest with config 1 and layers 2 and 3, changed by `fields`; undefined removes a field. */
export function image(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: descriptor(1, ociImageConfig),
    layers: [descriptor(2), descriptor(3)],
    ...fields,
  };
}

export function bytesOf(document: unknown): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(document));
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}
