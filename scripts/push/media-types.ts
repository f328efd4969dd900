import { dockerManifest, dockerManifestList, ociIndex, ociManifest } from "../../src/oci/media-type.ts";

/** What is asked for as a manifest. */
export const manifestTypes = [ociIndex, ociManifest, dockerManifestList, dockerManifest];

const ociLayer = "application/vnd.oci.image.layer.v1.tar";

/** The media types of layers by what their bytes are (image-spec, layer.md). */
export const layerTypes = { tar: ociLayer, gzip: `${ociLayer}+gzip`, zstd: `${ociLayer}+zstd` } as const;

/** Whether the descriptor of a layer says that its tar is not compressed. */
export function isUncompressedLayer(mediaType: string): boolean {
  return mediaType === ociLayer || mediaType === "application/vnd.docker.image.rootfs.diff.tar";
}
