import type { Blob, SoakClient } from "./client.ts";
import { pick } from "./pick.ts";
import { repositories } from "./rules.ts";

const octets = "application/octet-stream";

/**
 * Sees to it that a repository has a blob, in one of the ways that clients have.
 * @returns what was done. A commit whose bytes were collected before it is no error: the push begins anew.
 * @throws Error for an answer that no collector explains.
 */
export async function upload(client: SoakClient, repository: string, blob: Blob): Promise<string> {
  const path = `/v2/${repository}/blobs`;
  if ((await client.status("HEAD", `${path}/${blob.digest}`)) === 200) return "upload skipped";
  if (Math.random() < 0.5) {
    const mount = `${path}/uploads/?mount=${blob.digest}&from=${pick(repositories)}`;
    if ((await client.status("POST", mount)) === 201) return "mount";
  }
  const way = Math.random();
  if (way < 0.5) {
    const status = await client.status("POST", `${path}/uploads/?digest=${blob.digest}`, blob.bytes, octets);
    if (status === 201) return "upload";
    throw new Error(`POST of ${blob.digest} was answered ${status}`);
  }
  const started = await client.send("POST", `${path}/uploads/`);
  await started.arrayBuffer();
  const location = started.headers.get("Location") ?? "";
  if (way < 0.75) {
    const status = await client.status("PUT", `${location}&digest=${blob.digest}`, blob.bytes, octets);
    if (status === 201) return "upload";
    throw new Error(`the upload of ${blob.digest} was closed with ${status}`);
  }
  const patched = await client.send("PATCH", location, blob.bytes, octets);
  await patched.arrayBuffer();
  const status = await client.status("PUT", `${patched.headers.get("Location") ?? ""}&digest=${blob.digest}`);
  return status === 201 ? "upload" : `commit of collected bytes: ${status}`;
}
