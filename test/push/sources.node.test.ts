import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { sha256 } from "../clients/harness/registry.ts";
import { dockerArchive, filesBelow, layerTar, put, tarOf, writeIndexLayout } from "./images.ts";
import { useWorld } from "./world.ts";

const world = useWorld();

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
}

async function manifestOf(name: string): Promise<Manifest> {
  const found = await world().repository(name).manifest("1");
  return JSON.parse(found?.bytes.toString() ?? "") as Manifest;
}

async function blob(name: string, digest: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${world().proxy.url}/v2/${name}/blobs/${digest}`)).arrayBuffer());
}

describe("an OCI layout", () => {
  it("in a folder keeps its digests, index and all", async () => {
    const { name, seed, dir, push, probe } = world();
    const digest = await writeIndexLayout(join(dir, "layout"), seed);
    const { root } = await push(join(dir, "layout"), `${name}:1`);
    expect(root.digest).toBe(digest);
    // Index, two manifests, two configs, two layers.
    expect((await probe.verify(name, "1", digest)).size).toBe(7);
  });

  it.each(["tar", "gzipped tar"])("in a %s keeps its digests", async (kind) => {
    const { name, seed, dir, push, probe } = world();
    const digest = await writeIndexLayout(join(dir, "layout"), seed);
    const tar = await tarOf(await filesBelow(join(dir, "layout")));
    await push(await put(dir, "layout.tar", kind === "tar" ? tar : gzipSync(tar)), `${name}:1`);
    await probe.verify(name, "1", digest);
  });

  it("is pushed for one platform only", async () => {
    const { name, seed, dir, push, probe } = world();
    await writeIndexLayout(join(dir, "layout"), seed);
    const { root } = await push(join(dir, "layout"), `${name}:1`, { platform: "linux/arm64" });
    expect((await probe.verify(name, "1", root.digest)).size).toBe(3);
    await expect(push(join(dir, "layout"), `${name}:1`, { platform: "linux/s390x" })).rejects.toThrow(
      "there is no linux/s390x in the image: linux/amd64, linux/arm64",
    );
  });

  it("that lacks a blob, or has another one in its place, is refused", async () => {
    const { name, seed, dir, push } = world();
    await writeIndexLayout(join(dir, "layout"), seed);
    const files = await filesBelow(join(dir, "layout"));
    const [layer = ""] = Object.keys(files).filter((name) => (files[name]?.length ?? 0) > 200_000);
    const { [layer]: bytes = Buffer.alloc(0), ...rest } = files;
    const without = await put(dir, "without.tar", await tarOf(rest));
    await expect(push(without, `${name}:1`)).rejects.toThrow("lacks the blob sha256:");
    const short = await put(dir, "short.tar", await tarOf({ ...rest, [layer]: bytes.subarray(1) }));
    await expect(push(short, `${name}:1`)).rejects.toThrow(/has \d+ bytes where its manifest says \d+/);
    const changed = await put(
      dir,
      "changed.tar",
      await tarOf({ ...rest, [layer]: Buffer.from(bytes).fill(0, 100, 200) }),
    );
    await expect(push(changed, `${name}:1`)).rejects.toThrow("DIGEST_INVALID");
    expect(await world().probe.digest(name, "1")).toBeUndefined();
  });
});

describe("a docker-archive", () => {
  it("is pushed with its configuration as it is and its layers gzipped, each once", async () => {
    const { name, seed, dir, push, probe, asked } = world();
    const layers = [await layerTar(seed, 50_000), Buffer.alloc(40_960), await layerTar(seed, 50_000)];
    const files = dockerArchive(layers);
    await push(await put(dir, "app.tar", await tarOf(files)), `${name}:1`);
    await probe.verify(name, "1");
    const manifest = await manifestOf(name);
    expect(`${manifest.config.digest.slice(7)}.json` in files).toBe(true);
    const pushed = await Promise.all(manifest.layers.map(({ digest }) => blob(name, digest)));
    expect(
      pushed.map((bytes) => gunzipSync(bytes).equals(layers[pushed.indexOf(bytes)] ?? Buffer.alloc(0))),
    ).toEqual([true, true, true]);
    expect(manifest.layers[2]).toEqual(manifest.layers[0]);
    expect(asked().filter((each) => each.startsWith("POST "))).toHaveLength(3);
    expect(await readdir(join(dir, "cache", "skerry", "layers"))).toEqual([]);
  });

  it("gives the same digest again, without compressing what the registry has", async () => {
    const { name, seed, dir, push, lines } = world();
    const archive = await put(dir, "app.tar", await tarOf(dockerArchive([await layerTar(seed, 50_000)])));
    const first = await push(archive, `${name}:1`);
    const second = await push(archive, `${name}:2`);
    expect(second.root.digest).toBe(first.root.digest);
    expect(lines.at(-1)).toMatch(/there already/);
  });

  it("is pushed without compression on request", async () => {
    const { name, seed, dir, push, probe } = world();
    const layer = await layerTar(seed, 50_000);
    await push(await put(dir, "app.tar", await tarOf(dockerArchive([layer]))), `${name}:1`, {
      uncompressed: true,
    });
    await probe.verify(name, "1");
    const [descriptor] = (await manifestOf(name)).layers;
    expect(descriptor).toEqual({
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: sha256(layer),
      size: layer.length,
    });
  });

  it("with a layer that is gzipped already keeps that layer", async () => {
    const { name, seed, dir, push, probe } = world();
    const layer = gzipSync(await layerTar(seed, 5000), { level: 1 });
    await push(await put(dir, "app.tar", await tarOf(dockerArchive([layer]))), `${name}:1`);
    await probe.verify(name, "1");
    expect((await manifestOf(name)).layers[0]?.digest).toBe(sha256(layer));
  });

  it("of several images wants a name", async () => {
    const { name, seed, dir, push } = world();
    const one = dockerArchive([await layerTar(seed, 1000)], ["one:1"]);
    const two = dockerArchive([await layerTar(seed + 1, 1000)], ["two:1", "two:2"]);
    const both = [one, two].flatMap((files) => JSON.parse(String(files["manifest.json"])) as object[]);
    const archive = await put(
      dir,
      "app.tar",
      await tarOf({ ...one, ...two, "manifest.json": JSON.stringify(both) }),
    );
    await expect(push(archive, `${name}:1`)).rejects.toThrow("choose one with --name (one:1, two:1, two:2)");
    await expect(push(archive, `${name}:1`, { name: "three:1" })).rejects.toThrow("has no image three:1");
    await push(archive, `${name}:1`, { name: "two:2" });
  });

  it("whose layer is not the one of its configuration is refused", async () => {
    const { name, seed, dir, push } = world();
    const files = {
      ...dockerArchive([await layerTar(seed, 1000)]),
      "layer-0/layer.tar": await layerTar(seed + 1, 1000),
    };
    await expect(push(await put(dir, "app.tar", await tarOf(files)), `${name}:1`)).rejects.toThrow(
      "is damaged",
    );
  });
});

describe("an archive that is both, as docker writes it from version 25 on", () => {
  it.each([
    ["with compressed layers keeps its digests", "gzip", true],
    ["with layers that docker did not compress is pushed with gzipped ones", "tar", false],
  ])("%s", async (_, kind, keeps) => {
    const { name, seed, dir, push, probe } = world();
    const digest = await writeIndexLayout(join(dir, "layout"), seed, [3000]);
    const layout = await filesBelow(join(dir, "layout"));
    const archive = dockerArchive([await layerTar(seed, 3000)]);
    const files = { ...layout, ...archive };
    if (kind === "tar") {
      // The same as docker writes: the one manifest of the layout has the layer's tar itself.
      const layer = await layerTar(seed, 3000);
      const config =
        archive[
          Object.keys(archive).find((name) => name.endsWith(".json") && name !== "manifest.json") ?? ""
        ];
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: "application/vnd.oci.image.manifest.v1+json",
          config: {
            mediaType: "application/vnd.oci.image.config.v1+json",
            digest: sha256(Buffer.from(config ?? "")),
            size: config?.length,
          },
          layers: [
            {
              mediaType: "application/vnd.oci.image.layer.v1.tar",
              digest: sha256(layer),
              size: layer.length,
            },
          ],
        }),
      );
      const descriptor = {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: sha256(manifest),
        size: manifest.length,
      };
      files["index.json"] = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
      for (const bytes of [manifest, layer]) files[`blobs/sha256/${sha256(bytes).slice(7)}`] = bytes;
    }
    const { root } = await push(await put(dir, "app.tar", await tarOf(files)), `${name}:1`);
    await probe.verify(name, "1", root.digest);
    expect(root.digest === digest).toBe(keeps);
    if (!keeps) expect((await manifestOf(name)).layers[0]?.mediaType).toMatch(/\+gzip$/);
  });
});

it.each([
  ["a file that is no tar", Buffer.from("no tar at all".repeat(100)), "is no tar that can be read"],
  ["a tar of something else", undefined, "is neither an OCI layout (no index.json) nor a docker-archive"],
  ["a tar that breaks off", "cut", "is no tar that can be read"],
])("%s is refused", async (_, content, message) => {
  const { name, seed, dir, push } = world();
  const whole = await tarOf({ file: await layerTar(seed, 5000) });
  const bytes =
    content === undefined ? whole : content === "cut" ? whole.subarray(0, 3000) : Buffer.from(content);
  await expect(push(await put(dir, "file", bytes), `${name}:1`)).rejects.toThrow(message);
});
