import { createHash, randomFillSync } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LayoutWriter } from "../../test/clients/fixtures/layout.ts";

/** Parts of the image's bytes that its layers have. */
export const layerShares = [0.7, 0.2, 0.1];

/**
 * Writes an OCI layout of random layers, piece by piece: they are not looked into, and no tar.
 * @param size bytes of all layers.
 * @returns the manifest's digest.
 */
export async function writeBigImage(folder: string, size: number): Promise<string> {
  const writer = await LayoutWriter.create(folder);
  const blobs = join(folder, "blobs", "sha256");
  const layers = [];
  for (const share of layerShares) layers.push(await writeLayer(blobs, Math.round(share * size)));
  const image = await writer.image({ os: "linux", architecture: "amd64" }, layers);
  await writer.finish(image.manifest, "v1");
  return image.manifest.digest;
}

async function writeLayer(blobs: string, bytes: number) {
  const hash = createHash("sha256");
  const draft = join(blobs, "draft");
  await pipeline(async function* () {
    const piece = Buffer.alloc(1_000_000);
    for (let left = bytes; left > 0; left -= piece.length) {
      randomFillSync(piece);
      const part = Buffer.from(piece.subarray(0, Math.min(left, piece.length)));
      hash.update(part);
      yield part;
    }
  }, createWriteStream(draft));
  const hex = hash.digest("hex");
  await rename(draft, join(blobs, hex));
  const digest = `sha256:${hex}`;
  return { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: bytes, diffId: digest };
}
