import { descriptorOf } from "../../../src/oci/descriptor.ts";
import { algorithmOf, type Digest, encodedOf } from "../../../src/oci/digest.ts";
import { maxManifestSize } from "../../../src/oci/manifest.ts";
import type { ImageSource } from "../content.ts";
import { choosePlatform, type ManifestReader, type ManifestTree, walkManifests } from "../manifest-walk.ts";
import type { FileTree } from "./file-tree.ts";

/** Which image is meant, where a source has several. */
export interface Choice {
  /** A name, tag or digest. */
  readonly name: string | undefined;
  /** `os/architecture` or `os/architecture/variant`. */
  readonly platform: string | undefined;
}

/** Annotations of index.json that name an image: the image specification's, and containerd's with the whole name. */
const nameAnnotations = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];

/** An OCI image layout (image-spec, image-layout.md), with its image chosen and read. */
export interface Layout {
  readonly tree: FileTree;
  readonly content: ManifestTree;
}

/** Whether the files are an OCI image layout. */
export async function isLayout(tree: FileTree): Promise<boolean> {
  const file = await tree.file("index.json");
  await file?.close();
  return file !== undefined;
}

/** @throws Error for a layout that lacks something, and for a choice that names none or several of its images. */
export async function readLayout(tree: FileTree, { name, platform }: Choice): Promise<Layout> {
  const read: ManifestReader = (digest) => readFile(tree, blobPath(digest));
  const root = await chooseRoot(tree, name);
  const digest = platform === undefined ? root : await choosePlatform(root, platform, read);
  const content = await walkManifests(digest, read).catch((error: unknown) => {
    const advice =
      platform === undefined ? "; --platform pushes one platform of an image that is not whole" : "";
    throw new Error(`${tree.name}: ${(error as Error).message}${advice}`);
  });
  return { tree, content };
}

/** The image of a layout, byte for byte. */
export function layoutSource({ tree, content }: Layout): ImageSource {
  return {
    blobs: content.blobs.map(({ digest, size, label }) => ({
      label,
      known: { digest, size },
      async open() {
        const file = await tree.file(blobPath(digest));
        if (file === undefined) throw new Error(`${tree.name} lacks the blob ${digest} (${label})`);
        if (file.size !== size) {
          await file.close();
          throw new Error(`${tree.name}: ${digest} has ${file.size} bytes where its manifest says ${size}`);
        }
        return { digest, size, read: (start, end) => file.read(start, end), release: () => file.close() };
      },
    })),
    manifests: async () => content.manifests,
    close: () => tree.close(),
  };
}

async function chooseRoot(tree: FileTree, name: string | undefined): Promise<Digest> {
  const bytes = await readFile(tree, "index.json");
  const index = JSON.parse(bytes?.toString() ?? "{}") as { readonly manifests?: readonly unknown[] };
  const images = (index.manifests ?? []).map(descriptorOf).filter((image) => image !== undefined);
  const namesOf = (image: (typeof images)[number]) =>
    nameAnnotations.map((key) => image.annotations?.[key]).filter((text) => text !== undefined);
  const chosen =
    name === undefined
      ? images
      : images.filter((image) => image.digest === name || namesOf(image).includes(name));
  const [only, ...others] = new Set(chosen.map(({ digest }) => digest));
  if (only !== undefined && others.length === 0) return only;
  const all = images.map((image) => namesOf(image).join(" or ") || image.digest);
  throw new Error(choiceProblem(tree.name, name, only === undefined, all));
}

/** What to say where the user has to choose. */
export function choiceProblem(
  source: string,
  name: string | undefined,
  hasNone: boolean,
  names: readonly string[],
): string {
  const problem = hasNone ? `has no image${name === undefined ? "" : ` ${name}`}` : "has several images";
  return `${source} ${problem}${names.length > 0 ? `: choose one with --name (${names.join(", ")})` : ""}`;
}

function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}

async function readFile(tree: FileTree, path: string): Promise<Buffer<ArrayBuffer> | undefined> {
  const file = await tree.file(path);
  try {
    return await file?.bytes(maxManifestSize);
  } finally {
    await file?.close();
  }
}
