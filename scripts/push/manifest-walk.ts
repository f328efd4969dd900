import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type Digest, hasDigest } from "../../src/oci/digest.ts";
import { type Manifest, manifestOf } from "../../src/oci/manifest.ts";
import { isManifestType } from "../../src/oci/media-type.ts";
import type { BlobId, SourceManifest } from "./content.ts";

/** Gives the bytes of a manifest, or undefined if the source has none. */
export type ManifestReader = (digest: Digest) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** All that a manifest refers to, itself included. */
export interface ManifestTree {
  /** Children before their index. */
  readonly manifests: readonly SourceManifest[];
  /** Configs, layers and other blobs, each once, with what they are for the user. */
  readonly blobs: readonly (BlobId & { readonly label: string; readonly mediaType: string })[];
}

/**
 * Reads a manifest and everything below it.
 * @throws Error for a manifest that is absent, has another digest, or is none.
 */
export async function walkManifests(root: Digest, read: ManifestReader): Promise<ManifestTree> {
  const manifests = new Map<Digest, SourceManifest>();
  const blobs = new Map<Digest, ManifestTree["blobs"][number]>();

  function addBlob({ digest, size, mediaType }: Descriptor, label: string): void {
    if (!blobs.has(digest)) blobs.set(digest, { digest, size, mediaType, label });
  }

  async function visit(digest: Digest): Promise<void> {
    if (manifests.has(digest)) return;
    const { manifest, bytes } = await readManifest(digest, read);
    if (manifest.kind === "index") {
      for (const child of manifest.manifests) {
        if (isManifestType(child.mediaType) || child.mediaType === "") await visit(child.digest);
        else addBlob(child, child.mediaType);
      }
    } else {
      const required = new Set(
        manifest.references.filter((each) => each.required).map((each) => each.digest),
      );
      const layers = manifest.layers.filter((layer) => required.has(layer.digest));
      layers.forEach((layer, index) => {
        addBlob(layer, `layer ${index + 1}/${layers.length}`);
      });
      if (manifest.config !== undefined) addBlob(manifest.config, "config");
    }
    manifests.set(digest, { mediaType: manifest.mediaType, digest, bytes });
  }

  await visit(root);
  return { manifests: [...manifests.values()], blobs: [...blobs.values()] };
}

/**
 * The manifest of that digest.
 * @throws Error if it is absent, has another digest, or is none.
 */
export async function readManifest(
  digest: Digest,
  read: ManifestReader,
): Promise<{ readonly manifest: Manifest; readonly bytes: Uint8Array }> {
  const bytes = await read(digest);
  if (bytes === undefined) throw new Error(`the source lacks the manifest ${digest}`);
  if (!(await hasDigest(bytes, digest)))
    throw new Error(`what the source has as ${digest} is something else`);
  const manifest = manifestOf(bytes);
  if (manifest === undefined) throw new Error(`${digest} is neither an image manifest nor an image index`);
  return { manifest, bytes };
}

/**
 * The manifest of one platform, in an index or in the indexes below it.
 * @param platform `os/architecture` or `os/architecture/variant`.
 * @throws Error naming the platforms that there are; also if `root` is no index.
 */
export async function choosePlatform(root: Digest, platform: string, read: ManifestReader): Promise<Digest> {
  const seen: string[] = [];
  const search = async (digest: Digest): Promise<Digest | undefined> => {
    const { manifest } = await readManifest(digest, read);
    if (manifest.kind !== "index") return undefined;
    for (const child of manifest.manifests) {
      const { os, architecture, variant } = child.platform ?? {};
      const names = [`${os}/${architecture}`, `${os}/${architecture}/${variant}`];
      if (os !== undefined && names.includes(platform)) return child.digest;
      if (os !== undefined) seen.push(variant === undefined ? (names[0] ?? "") : (names[1] ?? ""));
      if (child.platform === undefined && (await read(child.digest)) !== undefined) {
        const found = await search(child.digest);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
  const found = await search(root);
  if (found !== undefined) return found;
  throw new Error(
    `there is no ${platform} in the image: ${seen.join(", ") || "it is for one platform only"}`,
  );
}
