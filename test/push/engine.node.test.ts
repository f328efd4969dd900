import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Memory } from "../../scripts/push/memory.ts";
import { openSource } from "../../scripts/push/source/open.ts";
import { dockerArchive, layerTar, put, tarOf } from "./images.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "skerry-engine-"));
  await mkdir(join(dir, "bin"));
  vi.stubEnv("PATH", `${join(dir, "bin")}:/usr/bin:/bin`);
  await engine("docker", 'echo "no daemon" >&2; exit 1');
  await engine("podman", 'echo "no such image" >&2; exit 125');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

/** Puts a program before the real one of this name: what engines do is tried with real ones elsewhere. */
async function engine(name: string, script: string): Promise<void> {
  await writeFile(join(dir, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

async function labels(image: string, name?: string): Promise<readonly string[]> {
  const memory = await Memory.open({ HOME: dir });
  const options = { name, platform: undefined, uncompressed: false, memory, tell: () => {} };
  const source = await openSource(image, options);
  await source.close();
  return source.blobs.map(({ label }) => label);
}

it("an image is taken from the first engine that has it", async () => {
  const archive = await put(dir, "saved.tar", await tarOf(dockerArchive([await layerTar(1, 2000)])));
  await engine("podman", `[ "$2" = inspect ] || [ "$1" = save ] && cat ${archive}`);
  expect(await labels("app:1")).toEqual(["layer 1/1", "config"]);
  expect(await labels("podman:app:1")).toEqual(["layer 1/1", "config"]);
});

it("what both engines say is told when none has it", async () => {
  await expect(labels("app:1")).rejects.toThrow(
    /no engine has such an image\ndocker: no daemon\npodman: no such image/,
  );
});

it("an engine that fails in the middle of an archive says why", async () => {
  const archive = await put(dir, "saved.tar", await tarOf(dockerArchive([await layerTar(1, 20_000)])));
  await engine("docker", `head -c 9000 ${archive}; echo "disk full" >&2; exit 1`);
  await expect(labels("docker:app:1")).rejects.toThrow("docker save app:1: disk full");
});

it("an engine that is not installed is named", async () => {
  await rm(join(dir, "bin", "docker"));
  vi.stubEnv("PATH", join(dir, "bin"));
  await expect(labels("docker:app:1")).rejects.toThrow("docker: spawn docker ENOENT");
});

it("of several images of one name, one is chosen", async () => {
  const one = dockerArchive([await layerTar(1, 1000)], ["app:1"]);
  const two = dockerArchive([await layerTar(1, 1000), await layerTar(2, 1000)], ["app:2"]);
  const both = [one, two].flatMap((files) => JSON.parse(String(files["manifest.json"])) as object[]);
  const files = { ...one, ...two, "manifest.json": JSON.stringify(both) };
  await engine("docker", `cat ${await put(dir, "saved.tar", await tarOf(files))}`);
  await expect(labels("docker:app")).rejects.toThrow("choose one with --name (app:1, app:2)");
  expect(await labels("docker:app", "app:2")).toEqual(["layer 1/2", "layer 2/2", "config"]);
});
