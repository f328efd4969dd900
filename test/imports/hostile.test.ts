import { beforeEach, describe, expect, it, vi } from "vitest";
import { ociImageConfig, ociIndex, ociManifest } from "../../src/oci/media-type.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  indexOf,
  noise,
  pushBlob,
  putManifest,
  type TestBlob,
  type TestManifest,
} from "../support/content.ts";
import { keysOf, type Sent } from "../upstream/unit/world.ts";
import {
  begin,
  createImportWorld,
  drive,
  type ImportWorld,
  pullWhole,
  rangeSize,
  target,
  told,
} from "./world.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";

interface Claimed {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
}

/** A manifest whose descriptors claim what they like. */
async function claiming(config: Claimed, layers: readonly Claimed[]): Promise<TestManifest> {
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: ociImageConfig, ...config },
    layers: layers.map((layer) => ({ mediaType: layerType, ...layer })),
  };
  return { ...(await blobOf(JSON.stringify(manifest))), mediaType: ociManifest };
}

/** Blobs of the upstream: an empty one, a small one and a large one. */
async function pushBlobs({ origin }: ImportWorld) {
  const blobs = {
    config: await blobOf("{}"),
    empty: await blobOf(""),
    small: await blobOf(noise(1000, 1)),
    large: await blobOf(noise(2.5 * rangeSize, 2)),
  };
  for (const blob of Object.values(blobs)) await expectStatus(pushBlob(origin, "team/app", blob), 201);
  return blobs;
}

type Blobs = Awaited<ReturnType<typeof pushBlobs>>;

const sized = ({ digest, bytes }: TestBlob, size: number = bytes.byteLength): Claimed => ({ digest, size });

/** Whatever is fetched anew, it is ten times at most: each try asks for the manifest's two or three blobs. */
const mostAsked = 60;

async function expectGivenUp(world: ImportWorld, id: string): Promise<void> {
  expect(await drive(world.client, id, {}, 100)).toMatchObject({ state: "failed" });
  expect(world.sent.length).toBeLessThan(mostAsked);
  const keys = await keysOf(world);
  expect(keys.filter((key) => key.includes("/_uploads/"))).toEqual([]);
  await expectStatus(world.client.ask(`HEAD /v2/${target}/manifests/1`), 404);
}

describe("a manifest that claims another size of a blob fails in the end", () => {
  it.each<[string, (blobs: Blobs) => Claimed]>([
    ["none of a small one", ({ small }) => sized(small, 0)],
    ["none of a large one", ({ large }) => sized(large, 0)],
    ["one byte less", ({ small }) => sized(small, 999)],
    ["one byte more", ({ small }) => sized(small, 1001)],
    ["ranges of a small one", ({ small }) => sized(small, 10 * rangeSize)],
    ["one range less", ({ large }) => sized(large, 1.5 * rangeSize)],
    ["one range more", ({ large }) => sized(large, 3.5 * rangeSize)],
    ["some bytes of an empty one", ({ empty }) => sized(empty, 10)],
    ["ranges of an empty one", ({ empty }) => sized(empty, 2 * rangeSize)],
    ["as much as a number can say", ({ large }) => sized(large, Number.MAX_SAFE_INTEGER)],
  ])("%s", async (_what, layerOf) => {
    const world = createImportWorld();
    const blobs = await pushBlobs(world);
    const image = await claiming(sized(blobs.config), [layerOf(blobs)]);
    await expectStatus(putManifest(world.origin, "team/app", "1", image), 201);
    await expectGivenUp(world, await begin(world));
  });
});

it("brings a blob whose size another descriptor of the image lies about, if the first one tells the truth", async () => {
  const world = createImportWorld();
  const { config, small } = await pushBlobs(world);
  const one = await claiming(sized(config), [sized(small)]);
  const other = await claiming(sized(config), [sized(small, 7 * rangeSize)]);
  const index = await indexOf([other, one]);
  for (const each of [one, other, index])
    await expectStatus(putManifest(world.origin, "team/app", each.digest, each), 201);
  const id = await begin(world, `up/team/app@${index.digest}`, ["1"]);
  expect(await drive(world.client, id)).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", { image: index, blobs: [config, small] });
});

it("brings empty blobs, and what is named by sha512", async () => {
  const world = createImportWorld();
  const { empty } = await pushBlobs(world);
  const config = await blobOf("{ }", "sha512");
  const layer = await blobOf(noise(2.5 * rangeSize, 3), "sha512");
  for (const blob of [config, layer]) await expectStatus(pushBlob(world.origin, "team/app", blob), 201);
  const image = await imageOf(config, [empty, layer], {}, "sha512");
  await expectStatus(putManifest(world.origin, "team/app", image.digest, image), 201);
  const id = await begin(world, `up/team/app@${image.digest}`, ["1"]);
  expect(await drive(world.client, id)).toMatchObject({ state: "done", root: image.digest });
  await pullWhole(world.client, target, "1", { image, blobs: [config, empty, layer] });
});

it("takes a manifest for a blob where it is named as one, too", async () => {
  const world = createImportWorld();
  const { config, small } = await pushBlobs(world);
  const image = await claiming(sized(config), [sized(small)]);
  await expectStatus(putManifest(world.origin, "team/app", image.digest, image), 201);
  await expectStatus(pushBlob(world.origin, "team/app", image), 201);
  const holder = await claiming(sized(config), [sized(image)]);
  const index = await indexOf([holder, image]);
  for (const each of [holder, index])
    await expectStatus(putManifest(world.origin, "team/app", each.digest, each), 201);
  const id = await begin(world, `up/team/app@${index.digest}`, ["1"]);
  expect(await drive(world.client, id)).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", { image: index, blobs: [config, small, image] });
});

let made = 0;

/** The descriptor of a manifest that nobody has. */
function nobodys(): Claimed {
  return { mediaType: ociManifest, digest: `sha256:${(++made).toString(16).padStart(64, "0")}`, size: 100 };
}

/** Bodies that have no end, until the request is aborted. */
const endless = ({ signal }: Sent) => {
  let pieces = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (signal?.aborted || ++pieces > 5000) return controller.error(new TypeError("aborted"));
      controller.enqueue(new Uint8Array(16_384));
    },
  });
};

it.each([
  ["manifest", "/manifests/"],
  ["blob", "/blobs/"],
])("gives up a %s without an end", async (_what, path) => {
  const world = createImportWorld();
  const { config, small, large } = await pushBlobs(world);
  const image = await claiming(sized(config), [sized(small), sized(large)]);
  await expectStatus(putManifest(world.origin, "team/app", "1", image), 201);
  world.answer((sent) => {
    if (!sent.url.pathname.includes(path)) return undefined;
    const [, range] = /bytes=(.*)/.exec(sent.headers.get("Range") ?? "") ?? [];
    const headers = range === undefined ? {} : { "Content-Range": `bytes ${range}/250000` };
    return new Response(endless(sent), { status: range === undefined ? 200 : 206, headers });
  });
  const id = await begin(world);
  await expectGivenUp(world, id);
});

describe("an image without an end", () => {
  it("of indexes fails before it has more than a thousand manifests", async () => {
    const world = createImportWorld();
    const manifests = new Map<string, TestBlob>();
    /** An index of 700 children, of which the last one is there, and read first. */
    const wide = async (last: Claimed) => {
      const others = Array.from({ length: 699 }, () => nobodys());
      const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [...others, last] };
      const blob = await blobOf(JSON.stringify(index));
      manifests.set(blob.digest, blob);
      return { mediaType: ociIndex, ...sized(blob) };
    };
    const inner = await wide(nobodys());
    const { digest } = await wide(inner);
    world.answer(({ url }) => {
      const found = manifests.get(url.pathname.split("/").at(-1) ?? "");
      const headers = { "Content-Type": ociIndex };
      return new Response(found?.bytes ?? "", { status: found ? 200 : 404, headers });
    });
    const id = await begin(world, `up/team/app@${digest}`, ["1"]);
    const job = await drive(world.client, id);
    expect(job).toMatchObject({ state: "failed", error: { code: "UNSUPPORTED" } });
    expect(job.error?.message).toContain("more than 1000 manifests");
    expect(world.sent).toHaveLength(2);
  });

  it("of a list of referrers fails at once, and its record stays small", async () => {
    const world = createImportWorld();
    const { config } = await pushBlobs(world);
    const image = await claiming(sized(config), []);
    await expectStatus(putManifest(world.origin, "team/app", "1", image), 201);
    world.answer(({ url }) => {
      if (!url.pathname.includes("/referrers/")) return undefined;
      const manifests = Array.from({ length: 5000 }, () => nobodys());
      return new Response(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }), {
        headers: { "Content-Type": ociIndex, Link: `<${url.pathname}?last=x>; rel="next"` },
      });
    });
    const id = await begin(world, "up/team/app:1", ["1"], { referrers: true });
    expect(await drive(world.client, id)).toMatchObject({ state: "failed" });
    expect((await told(world.client, id)).error?.message).toContain("more than 1000 manifests");
    expect(world.sent.length).toBeLessThan(20);
    const { store } = world.client.registry;
    expect((await store.bucket.head(store.layout.importJob(id)))?.size).toBeLessThan(10_000);
  });
});
