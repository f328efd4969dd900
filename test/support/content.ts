import { type Algorithm, type Digest, digestOf } from "../../src/oci/digest.ts";
import { ociImageConfig, ociIndex, ociManifest } from "../../src/oci/media-type.ts";
import type { Asker } from "./registry.ts";

/** Bytes with their digest. */
export interface TestBlob {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Digest;
}

/** A manifest with what it is pushed as. */
export interface TestManifest extends TestBlob {
  readonly mediaType: string;
}

export async function blobOf(
  content: string | Uint8Array<ArrayBuffer>,
  algorithm: Algorithm = "sha256",
): Promise<TestBlob> {
  const bytes = typeof content === "string" ? new Uint8Array(new TextEncoder().encode(content)) : content;
  return { bytes, digest: await digestOf(bytes, algorithm) };
}

/** `size` bytes that do not repeat soon, the same for the same seed. */
export function noise(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** An OCI image manifest over a configuration and layers, with anything else that is given. */
export async function imageOf(
  config: TestBlob,
  layers: readonly TestBlob[],
  more: object = {},
  algorithm: Algorithm = "sha256",
): Promise<TestManifest> {
  const descriptor = (mediaType: string, blob: TestBlob) => ({
    mediaType,
    digest: blob.digest,
    size: blob.bytes.byteLength,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: descriptor(ociImageConfig, config),
    layers: layers.map((layer) => descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)),
    ...more,
  };
  return { ...(await blobOf(JSON.stringify(manifest), algorithm)), mediaType: ociManifest };
}

/** An OCI image index over manifests. */
export async function indexOf(
  manifests: readonly TestManifest[],
  more: object = {},
  algorithm: Algorithm = "sha256",
): Promise<TestManifest> {
  const index = {
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: manifests.map(({ mediaType, digest, bytes }) => ({
      mediaType,
      digest,
      size: bytes.byteLength,
    })),
    ...more,
  };
  return { ...(await blobOf(JSON.stringify(index), algorithm)), mediaType: ociIndex };
}

/** Pushes a blob by POST and PUT. */
export async function pushBlob(client: Asker, name: string, blob: TestBlob): Promise<Response> {
  const started = await client.ask(`POST /v2/${name}/blobs/uploads/`);
  return closeUpload(client, started, blob.digest, blob.bytes);
}

/** The closing PUT of an upload whose last answer was `answer`. */
export function closeUpload(
  client: Asker,
  answer: Response,
  digest: string,
  body: BodyInit | null = null,
): Promise<Response> {
  const location = new URL(answer.headers.get("Location") ?? "");
  location.searchParams.set("digest", digest);
  return client.ask(`PUT ${location}`, { body });
}

/** PUTs a manifest by tag or digest; nothing that it refers to. */
export function putManifest(
  client: Asker,
  name: string,
  reference: string,
  manifest: TestManifest,
  headers: Record<string, string> = {},
): Promise<Response> {
  return client.ask(`PUT /v2/${name}/manifests/${reference}`, {
    headers: { "Content-Type": manifest.mediaType, ...headers },
    body: manifest.bytes,
  });
}

/** Pushes an image of its own with its blobs: `seed` makes the difference. */
export async function pushImage(
  client: Asker,
  name: string,
  reference: string | undefined,
  seed: string,
): Promise<TestManifest> {
  const config = await blobOf(`{"seed":${JSON.stringify(seed)}}`);
  const layer = await blobOf(`layer of ${seed}`);
  const image = await imageOf(config, [layer]);
  for (const blob of [config, layer]) await expectStatus(pushBlob(client, name, blob), 201);
  await expectStatus(putManifest(client, name, reference ?? image.digest, image), 201);
  return image;
}

/** The answer, if it has the status; otherwise an error that says what came instead. */
export async function expectStatus(answer: Promise<Response>, status: number): Promise<Response> {
  const response = await answer;
  if (response.status !== status) {
    throw new Error(`expected ${status}, got ${response.status}: ${await response.text()}`);
  }
  return response;
}
