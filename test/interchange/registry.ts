import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { assertSameMembers } from "../clients/harness/checks.ts";
import { RegistryProbe } from "../clients/harness/registry.ts";

/** What a registry must hold: for each repository its tags, and the digest that each of them names. */
export type Holdings = Map<string, Map<string, string>>;

/** Notes that the tag of the repository names the digest; undefined for a tag that is not there any more. */
export function note(holdings: Holdings, name: string, tag: string, digest: string | undefined): void {
  const tags = holdings.get(name) ?? new Map<string, string>();
  holdings.set(name, tags);
  if (digest === undefined) tags.delete(tag);
  else tags.set(tag, digest);
}

/** Takes away every tag that names the digest. */
export function forget(holdings: Holdings, name: string, digest: string): void {
  for (const [tag, named] of holdings.get(name) ?? [])
    if (named === digest) note(holdings, name, tag, undefined);
}

/** Pulls every tag with all that it refers to, byte for byte. @returns how many manifests and blobs that were. */
export async function pullAll(host: string, holdings: Holdings): Promise<number> {
  const registry = new RegistryProbe(host);
  let pulled = 0;
  for (const [name, tags] of holdings) {
    for (const [tag, digest] of tags) pulled += (await registry.verify(name, tag, digest)).size;
  }
  return pulled;
}

/** Compares the lists of tags and of repositories. */
export async function compareLists(host: string, holdings: Holdings): Promise<void> {
  for (const [name, tags] of holdings) {
    const answer = await fetch(`http://${host}/v2/${name}/tags/list`);
    const body = (await answer.json()) as { readonly tags?: readonly string[] };
    // Where no tag is left distribution answers 404, Skerry an empty list.
    if (tags.size > 0 || answer.status !== 404) assertSameMembers(body.tags ?? [], [...tags.keys()]);
  }
  const catalog = (await (await fetch(`http://${host}/v2/_catalog`)).json()) as { repositories: string[] };
  assertSameMembers(catalog.repositories, [...holdings.keys()]);
}

/** Sends a DELETE of a manifest and expects 202. */
export async function deleteManifest(host: string, name: string, reference: string): Promise<void> {
  const answer = await fetch(`http://${host}/v2/${name}/manifests/${reference}`, { method: "DELETE" });
  assert.equal(answer.status, 202, await answer.text());
}

/** Expects a 404 for the manifest. */
export async function assertGone(host: string, name: string, reference: string): Promise<void> {
  assert.equal(await new RegistryProbe(host).digest(name, reference), undefined);
}

/**
 * Pushes a schema 2 image whose only layer is foreign: distribution takes its URLs for it, and no bytes.
 * @returns the manifest's digest.
 */
export async function pushForeignLayer(host: string, name: string, tag: string): Promise<string> {
  const config = JSON.stringify({
    architecture: "amd64",
    os: "windows",
    rootfs: { type: "layers", diff_ids: [] },
  });
  const configDigest = digestOf(config);
  const started = await fetch(`http://${host}/v2/${name}/blobs/uploads/`, { method: "POST" });
  const location = new URL(started.headers.get("location") ?? "", `http://${host}`);
  location.searchParams.set("digest", configDigest);
  const stored = await fetch(location, { method: "PUT", body: config });
  assert.equal(stored.status, 201, await stored.text());
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      size: config.length,
      digest: configDigest,
    },
    layers: [
      {
        mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        size: 1000,
        digest: digestOf("bytes that only the URL has"),
        urls: ["https://layers.example/base.tar.gz"],
      },
    ],
  });
  const put = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, {
    method: "PUT",
    headers: { "Content-Type": mediaType },
    body: manifest,
  });
  assert.equal(put.status, 201, await put.text());
  return digestOf(manifest);
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
