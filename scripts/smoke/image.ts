import { createHash, randomBytes } from "node:crypto";

/** Bytes with their digest. */
export interface Content {
  readonly bytes: Buffer;
  readonly digest: string;
}

export const manifestType = "application/vnd.oci.image.manifest.v1+json";
const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar";
const emptyType = "application/vnd.oci.empty.v1+json";

export function contentOf(bytes: Buffer | string): Content {
  const buffer = Buffer.from(bytes);
  return { bytes: buffer, digest: `sha256:${createHash("sha256").update(buffer).digest("hex")}` };
}

/** Bytes that no registry has yet. */
export function noise(size: number): Content {
  return contentOf(randomBytes(size));
}

const describe = (mediaType: string, { bytes, digest }: Content) => ({
  mediaType,
  digest,
  size: bytes.length,
});

/** An image of one layer that nothing unpacks. */
export function imageOf(config: Content, layer: Content): Content {
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: describe(configType, config),
    layers: [describe(layerType, layer)],
  };
  return contentOf(JSON.stringify(manifest));
}

export const artifactType = "application/vnd.skerry.smoke";

/** An artifact whose subject is the image. */
export function artifactOf(empty: Content, image: Content): Content {
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType,
    config: describe(emptyType, empty),
    layers: [describe(emptyType, empty)],
    subject: describe(manifestType, image),
  };
  return contentOf(JSON.stringify(manifest));
}
