import { describe, expect, it } from "vitest";
import type { Importer } from "../../src/imports/importer.ts";
import { ociIndex } from "../../src/oci/media-type.ts";
import { counted } from "../doubles/rounds.ts";
import { blobOf, expectStatus, imageOf, indexOf, pushBlob, putManifest } from "../support/content.ts";
import { letIn, type World } from "../upstream/unit/world.ts";
import { begin, createImportWorld, drive, pullWhole, pushUpstream, pushWide, step, target } from "./world.ts";

/** Operations after which a step begins nothing more, and those that what it has begun may still take. */
const operations = 60;
const margin = 60;
const allowance: Importer["allowance"] = { time: 20_000, requests: 20, operations };

/** The operations of each step of an import, until it is done. */
async function steps(world: World, id: string): Promise<readonly number[]> {
  const all: number[] = [];
  for (let count = 0; count < 100; count++) {
    const { A, B, kv, result } = await counted(world.edge.gate, () => step(world.client, id, { allowance }));
    all.push(A + B + kv);
    if (result?.state !== "open") {
      expect(result).toMatchObject({ state: "done" });
      return all;
    }
  }
  throw new Error("the import does not end");
}

it("takes as many steps as its operations allow for blobs that were pulled before", async () => {
  const world = createImportWorld();
  const image = await pushWide(world, 100);
  await expectStatus(world.client.ask("GET /v2/up/team/app/manifests/1"), 200);
  const { layers, config } = JSON.parse(new TextDecoder().decode(image.bytes));
  for (const { digest } of [config, ...layers])
    await expectStatus(world.client.ask(`GET /v2/up/team/app/blobs/${digest}`), 200);
  const id = await begin(world);
  // The last one puts the manifest, whose references are looked at in one go.
  expect(Math.max(...(await steps(world, id)))).toBeLessThan(operations + margin + layers.length);
});

it("takes as many steps as its operations allow for manifests that are kept", async () => {
  const world = createImportWorld();
  const config = await blobOf("{}");
  await expectStatus(pushBlob(world.origin, "team/app", config), 201);
  const images = await Promise.all(
    Array.from({ length: 30 }, (_, at) => imageOf(config, [], { annotations: { at: `${at}` } })),
  );
  for (const image of images)
    await expectStatus(putManifest(world.origin, "team/app", image.digest, image), 201);
  await expectStatus(putManifest(world.origin, "team/app", "1", await indexOf(images)), 201);
  const id = await begin(world);
  expect(Math.max(...(await steps(world, id)))).toBeLessThan(operations + margin + images.length);
});

describe("a step that may ask for one thing alone", () => {
  const one: Partial<Importer> = { allowance: { time: 20_000, requests: 1, operations: 900 } };

  it("brings a blob from an upstream that serves no ranges", async () => {
    const world = createImportWorld();
    const pushed = await pushUpstream(world);
    world.answer((sent) => (sent.url.pathname.includes("/blobs/") ? letIn(world, sent) : undefined));
    const id = await begin(world);
    expect(await drive(world.client, id, one)).toMatchObject({ state: "done" });
    await pullWhole(world.client, target, "1", pushed);
  });

  it("reads a list of referrers to its end", async () => {
    const world = createImportWorld();
    const { image } = await pushUpstream(world);
    const pages = 3;
    world.answer(({ url }) => {
      if (!url.pathname.includes(`/referrers/${image.digest}`)) return undefined;
      const page = Number(url.searchParams.get("last") ?? 1);
      const headers = new Headers({ "Content-Type": ociIndex });
      if (page < pages) headers.set("Link", `<${url.pathname}?last=${page + 1}>; rel="next"`);
      return new Response(JSON.stringify({ schemaVersion: 2, manifests: [] }), { headers });
    });
    const id = await begin(world, "up/team/app:1", ["1"], { referrers: true });
    expect(await drive(world.client, id, one)).toMatchObject({ state: "done" });
    expect(world.asked().filter((line) => line.includes("/referrers/"))).toHaveLength(pages);
  });
});
