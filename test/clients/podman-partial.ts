import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lines, withProxy } from "./harness/checks.ts";
import type { Lab } from "./harness/client.ts";
import { podmanIn } from "./podman.ts";

const repository = "podman/chunked";
const files = ["a", "b", "c", "d", "e", "f"];
const fileSize = 400_000;

/**
 * Pushes two zstd:chunked images that differ in one file of six, pulls the first, and then of the second no more than
 * what is new in it, by Range requests.
 */
export async function checkPartialPull(lab: Lab): Promise<void> {
  const { registry, dir } = lab;
  const builder = podmanIn(lab, join(dir, "chunked", "builder"));
  const context = join(dir, "chunked", "context");
  await mkdir(context, { recursive: true });
  await writeFile(join(context, "Containerfile"), "FROM scratch\nCOPY a b c d e f /\n");

  async function buildAndPush(changed: readonly string[], tag: string): Promise<string> {
    for (const name of changed) await writeFile(join(context, name), randomBytes(fileSize));
    const id = lines(await builder("build", "--quiet", context))[0] ?? "";
    const target = `docker://${registry.reference(repository, tag)}`;
    await builder("push", "--tls-verify=false", "--compression-format=zstd:chunked", id, target);
    return id;
  }

  const first = await buildAndPush(files, "v1");
  const second = await buildAndPush(["c"], "v2");

  const puller = await partialPuller(lab, join(dir, "chunked", "puller"));
  await withProxy(registry.host, {}, async (proxy) => {
    const pull = async (tag: string) =>
      lines(await puller("pull", "--quiet", "--tls-verify=false", `${proxy.host}/${repository}:${tag}`))[0];
    assert.equal(await pull("v1"), first);
    const before = proxy.exchanges.length;
    assert.equal(await pull("v2"), second);
    const ranged = proxy.exchanges.slice(before).filter(({ range }) => range !== undefined);
    assert.ok(ranged.length > 0, "no request with a Range");
    for (const { range, status } of ranged) assert.equal(status, 206, `${range}: ${status}`);
    const fetched = ranged.reduce((sum, { received }) => sum + received, 0);
    assert.ok(fetched < 2 * fileSize, `${fetched} bytes were fetched for ${fileSize} changed ones`);
  });
}

/** podman that may pull parts of layers: the one setting that it takes from a storage configuration only. */
async function partialPuller(lab: Lab, storage: string) {
  await mkdir(storage, { recursive: true });
  const configuration = join(storage, "storage.conf");
  const settings = [
    "[storage]",
    'driver = "overlay"',
    `graphroot = "${join(storage, "root")}"`,
    `runroot = "${join(storage, "run")}"`,
    "[storage.options]",
    'pull_options = {enable_partial_images = "true", use_hard_links = "false", ostree_repos = ""}',
  ];
  await writeFile(configuration, settings.join("\n"));
  return podmanIn(lab, storage, { storage: configuration });
}
