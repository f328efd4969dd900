import { createHash, randomBytes } from "node:crypto";
import { exchange } from "./connection.ts";

export const octetStream = ["Content-Type", "application/octet-stream"] as const;
export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
export const emptyConfig = "application/vnd.oci.empty.v1+json";

export function digestOf(bytes: string | Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Bytes that no other test has pushed. */
export function uniqueBytes(size: number): Buffer {
  return randomBytes(size);
}

/** The path and query of a Location header, which must be an absolute URL. */
export function targetOf(location: string | undefined): string {
  const { pathname, search } = new URL(location ?? "");
  return pathname + search;
}

/** `digest=<digest>` added to an upload URL, whatever its query already holds. */
export function withDigest(target: string, digest: string): string {
  return `${target}${target.includes("?") ? "&" : "?"}digest=${digest}`;
}

/** Opens an upload session; the target of its Location. */
export async function openUpload(port: number, name: string): Promise<string> {
  const response = await exchange(port, "POST", `/v2/${name}/blobs/uploads/`);
  if (response.status !== 202)
    throw new Error(`the upload was not opened: ${response.status} ${response.body}`);
  return targetOf(response.header("Location"));
}

/** Pushes a blob by POST and PUT; its digest. */
export async function pushBlob(port: number, name: string, bytes: string | Uint8Array): Promise<string> {
  const digest = digestOf(bytes);
  const target = withDigest(await openUpload(port, name), digest);
  const response = await exchange(port, "PUT", target, [octetStream], bytes);
  if (response.status !== 201)
    throw new Error(`the blob was not pushed: ${response.status} ${response.body}`);
  return digest;
}

/** An image manifest over the blob `{}`, padded by an annotation to `size` bytes if that is given. */
export function manifestOf(annotation: string, size?: number): string {
  const encode = (value: string) =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      artifactType: "application/vnd.example.test",
      config: { mediaType: emptyConfig, digest: digestOf("{}"), size: 2 },
      layers: [{ mediaType: emptyConfig, digest: digestOf("{}"), size: 2 }],
      annotations: { test: value },
    });
  const bare = encode(annotation);
  return size === undefined ? bare : encode(annotation.padEnd(annotation.length + size - bare.length, "x"));
}

/** Pushes a manifest and the blob it rests on; the manifest's digest. */
export async function pushManifest(
  port: number,
  name: string,
  reference: string,
  body: string,
): Promise<string> {
  await pushBlob(port, name, "{}");
  const response = await exchange(
    port,
    "PUT",
    `/v2/${name}/manifests/${reference}`,
    [["Content-Type", ociManifest]],
    body,
  );
  if (response.status !== 201)
    throw new Error(`the manifest was not pushed: ${response.status} ${response.body}`);
  return digestOf(body);
}
