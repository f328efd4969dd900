import { createHash } from "node:crypto";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const configType = "application/vnd.oci.image.config.v1+json";

/** Pushes an image without layers to a registry over HTTP. @returns its digest. */
export async function emptyImage(origin: string, name: string, tag: string): Promise<string> {
  const config = JSON.stringify({ tag });
  const digest = digestOf(config);
  await expectStatus(
    fetch(`${origin}/v2/${name}/blobs/uploads/?digest=${digest}`, { method: "POST", body: config }),
    201,
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, digest, size: config.length },
    layers: [],
  });
  await expectStatus(
    fetch(`${origin}/v2/${name}/manifests/${tag}`, {
      method: "PUT",
      body: manifest,
      headers: { "Content-Type": mediaType },
    }),
    201,
  );
  return digestOf(manifest);
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

async function expectStatus(answer: Promise<Response>, status: number): Promise<void> {
  const response = await answer;
  const body = await response.text();
  if (response.status !== status) throw new Error(`expected ${status}, got ${response.status}: ${body}`);
}
