import type { Repository } from "../../scripts/push/registry/repository.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { ociManifest } from "../../src/oci/media-type.ts";
import { sha256 } from "../clients/harness/registry.ts";

const empty = Buffer.from("{}");

/** Attaches an artifact to a manifest. @returns its digest. */
export async function attach(repository: Repository, subject: string, text: string): Promise<Digest> {
  const config = {
    mediaType: "application/vnd.oci.empty.v1+json",
    digest: sha256(empty),
    size: empty.length,
  };
  const session = await repository.startUpload(config.digest as Digest, undefined);
  if (typeof session !== "string") {
    const body = {
      length: empty.length,
      open: async function* () {
        yield empty;
      },
    };
    await repository.close(session.location, config.digest as Digest, body);
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    artifactType: "application/vnd.example.note",
    config,
    layers: [config],
    subject: { mediaType: ociManifest, digest: subject, size: 1 },
    annotations: { text },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = sha256(bytes) as Digest;
  await repository.putManifest(digest, { mediaType: ociManifest, bytes });
  return digest;
}
