import { expect, it } from "vitest";
import { ociIndex } from "../../src/oci/media-type.ts";
import { blobOf, expectStatus, imageOf, indexOf, pushBlob, putManifest } from "../support/content.ts";
import { begin, createImportWorld, drive, pullWhole, pushUpstream, target } from "./world.ts";

it("asks once for a manifest that several indexes refer to, and once for what refers to it", async () => {
  const world = createImportWorld();
  const one = await pushUpstream(world, { tag: "one" });
  let index = await indexOf([one.image]);
  for (let depth = 0; depth < 6; depth++) {
    await expectStatus(putManifest(world.origin, "team/app", index.digest, index), 201);
    index = await indexOf([index, one.image]);
  }
  await expectStatus(putManifest(world.origin, "team/app", "1", index), 201);
  const id = await begin(world, "up/team/app:1", ["1"], { referrers: true });
  expect(await drive(world.client, id)).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", { image: index, blobs: one.blobs });
  const asked = world.asked().filter((line) => !line.includes("/blobs/"));
  expect(asked).toHaveLength(new Set(asked).size);
});

it("does not do without a layer that one image gets elsewhere, and another one needs", async () => {
  const world = createImportWorld();
  const config = await blobOf("{}");
  const layer = await blobOf("a layer");
  for (const blob of [config, layer]) await expectStatus(pushBlob(world.origin, "team/app", blob), 201);
  const needing = await imageOf(config, [layer]);
  const manifest = JSON.parse(new TextDecoder().decode(needing.bytes));
  Object.assign(manifest.layers[0], {
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
    urls: ["https://layers.example/one"],
  });
  const doingWithout = { ...(await blobOf(JSON.stringify(manifest))), mediaType: needing.mediaType };
  const index = await indexOf([needing, doingWithout]);
  for (const each of [needing, doingWithout, index])
    await expectStatus(putManifest(world.origin, "team/app", each.digest, each), 201);
  world.answer(({ url }) =>
    url.pathname.endsWith(layer.digest) ? new Response("", { status: 404 }) : undefined,
  );
  const id = await begin(world, `up/team/app@${index.digest}`);
  const job = await drive(world.client, id);
  expect(job).toMatchObject({ state: "failed", failures: 0, error: { code: "BLOB_UNKNOWN" } });
});

it("passes over very many manifests that the upstream has not got, where it may", async () => {
  const world = createImportWorld({ variables: { MISSING_REFERENCES: "accept" } });
  const { image, blobs } = await pushUpstream(world, { tag: "one" });
  const { manifests, ...rest } = JSON.parse(new TextDecoder().decode((await indexOf([image])).bytes));
  const missing = Array.from({ length: 300 }, (_, at) => ({
    ...manifests[0],
    digest: `sha256:${at.toString(16).padStart(64, "0")}`,
  }));
  const index = await blobOf(JSON.stringify({ ...rest, manifests: [...manifests, ...missing] }));
  world.answer(({ url }) =>
    url.pathname.endsWith(`/manifests/${index.digest}`)
      ? new Response(index.bytes, { headers: { "Content-Type": ociIndex } })
      : undefined,
  );
  const id = await begin(world, `up/team/app@${index.digest}`, ["1"]);
  expect(await drive(world.client, id)).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", { image: { ...index, mediaType: ociIndex }, blobs });
});
