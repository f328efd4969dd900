import { expect, it } from "vitest";
import {
  blobOf,
  expectStatus,
  imageOf,
  indexOf,
  pushBlob,
  putManifest,
  type TestManifest,
} from "../support/content.ts";
import { createWorld, keysOf, letIn, type World } from "../upstream/unit/world.ts";
import { ask, begin, createImportWorld, drive, pullWhole, pushUpstream, target, told } from "./world.ts";

it("brings an image within the request's own time, and then knows of nothing left to do", async () => {
  const world = createWorld();
  const pushed = await pushUpstream(world);
  const answer = await world.client.ask(`POST /v2/${target}/_skerry/imports`, {
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "up/team/app:1" }),
  });
  expect(answer.status).toBe(202);
  const location = answer.headers.get("Location") ?? "";
  const status = await (await expectStatus(world.client.ask(`GET ${location}`), 200)).json();
  expect(status).toMatchObject({
    state: "done",
    name: target,
    from: "up/team/app:1",
    tags: ["1"],
    digest: pushed.image.digest,
    manifests: { known: 1, stored: 1 },
    blobs: { known: 3, done: 3 },
  });
  await pullWhole(world.client, target, "1", pushed);
  expect((await keysOf(world)).filter((key) => key.includes("_uploads/"))).toEqual([]);
});

it("brings a large blob range by range, a few in each step, and asks for nothing twice", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world, { large: 1_050_000 });
  const id = await begin(world);
  const allowance = { time: 20_000, requests: 4, operations: 900 };
  await drive(world.client, id, { allowance });
  await pullWhole(world.client, target, "1", pushed);
  const ranges = world.sent.flatMap(({ headers }) => headers.get("Range") ?? []);
  expect(ranges).toHaveLength(11);
  expect(new Set(ranges).size).toBe(11);
  expect(world.asked().filter((line) => line.includes("/manifests/"))).toHaveLength(1);
});

it("brings an index with what it has, each manifest after those it refers to, the tags at the end", async () => {
  const world = createImportWorld();
  const one = await pushUpstream(world, { seed: 1, tag: "one" });
  const two = await pushUpstream(world, { seed: 5, tag: "two" });
  const inner = await indexOf([one.image]);
  const outer = await indexOf([inner, one.image, two.image]);
  await expectStatus(putManifest(world.origin, "team/app", inner.digest, inner), 201);
  await expectStatus(putManifest(world.origin, "team/app", "all", outer), 201);
  const id = await begin(world, `up/team/app@${outer.digest}`, ["latest", "2.0"]);
  await drive(world.client, id);
  for (const tag of ["latest", "2.0"])
    await pullWhole(world.client, target, tag, { image: outer, blobs: [...one.blobs, ...two.blobs] });
  await pullWhole(world.client, target, inner.digest, { image: inner, blobs: [] });
  expect(await told(world.client, id)).toMatchObject({
    manifests: { known: 4, stored: 4 },
    blobs: { known: 6, done: 6 },
  });
});

it.each(["by its API", "by a tag"])(
  "brings what refers to the image where it is wanted, as the upstream lists it %s",
  async (how) => {
    const world = createImportWorld();
    const pushed = await pushUpstream(world);
    const subjectOf = ({ mediaType, digest, bytes }: TestManifest) => ({
      mediaType,
      digest,
      size: bytes.byteLength,
    });
    const empty = await blobOf("{}");
    await expectStatus(pushBlob(world.origin, "team/app", empty), 201);
    const signature = await imageOf(empty, [], {
      subject: subjectOf(pushed.image),
      artifactType: "a/signature",
    });
    const countersignature = await imageOf(empty, [], {
      subject: subjectOf(signature),
      artifactType: "a/signature",
    });
    for (const manifest of [signature, countersignature])
      await expectStatus(putManifest(world.origin, "team/app", manifest.digest, manifest), 201);
    if (how === "by a tag")
      world.answer(async ({ method, url, headers }) => {
        const [, subject] = /\/manifests\/sha256-([0-9a-f]{64})$/.exec(url.pathname) ?? [];
        if (url.pathname.includes("/referrers/")) return new Response("", { status: 404 });
        const path = subject === undefined ? url.href : `/v2/team/app/referrers/sha256:${subject}`;
        return world.origin.ask(`${method} ${path}`, { headers });
      });
    const plain = await begin(world, "up/team/app:1", ["plain"]);
    await drive(world.client, plain);
    expect(await referrersOf(world, pushed.image)).toEqual([]);
    const whole = await begin(world, "up/team/app:1", ["whole"], { referrers: true });
    await drive(world.client, whole);
    expect(await referrersOf(world, pushed.image)).toEqual([signature.digest]);
    expect(await referrersOf(world, signature)).toEqual([countersignature.digest]);
    await pullWhole(world.client, target, signature.digest, { image: signature, blobs: [empty] });
  },
);

it("does without a referrer that the upstream lists and has not", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  const empty = await blobOf("{}");
  await expectStatus(pushBlob(world.origin, "team/app", empty), 201);
  const { digest, mediaType, bytes } = pushed.image;
  const gone = await imageOf(empty, [], { subject: { mediaType, digest, size: bytes.byteLength } });
  await expectStatus(putManifest(world.origin, "team/app", gone.digest, gone), 201);
  world.answer(({ url }) =>
    url.pathname.endsWith(`/manifests/${gone.digest}`) ? new Response("", { status: 404 }) : undefined,
  );
  const id = await begin(world, "up/team/app:1", undefined, { referrers: true });
  expect(await drive(world.client, id)).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", pushed);
  expect(await referrersOf(world, pushed.image)).toEqual([]);
});

async function referrersOf({ client }: World, { digest }: TestManifest): Promise<readonly string[]> {
  const answer = await expectStatus(client.ask(`GET /v2/${target}/referrers/${digest}`), 200);
  const { manifests } = await answer.json<{ readonly manifests: readonly { readonly digest: string }[] }>();
  return manifests.map((manifest) => manifest.digest);
}

it("takes a blob from the bucket, and no bytes, where the upstream has it too", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  for (const blob of pushed.blobs) await expectStatus(pushBlob(world.client, "other/app", blob), 201);
  const id = await begin(world);
  await drive(world.client, id);
  await pullWhole(world.client, target, "1", pushed);
  expect(world.asked().filter((line) => line.startsWith("GET") && line.includes("/blobs/"))).toEqual([]);
});

it("links what was pulled through before, and asks nobody", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  await pullWhole(world.client, "up/team/app", "1", pushed);
  const id = await begin(world);
  world.sent.length = 0;
  await drive(world.client, id);
  await pullWhole(world.client, target, "1", pushed);
  expect(world.asked()).toEqual(["GET /v2/team/app/manifests/1"]);
});

it("does not link bytes that are here and that the upstream has not got", async () => {
  const world = createImportWorld();
  const secret = await blobOf("what only other/app may read");
  await expectStatus(pushBlob(world.client, "other/app", secret), 201);
  const config = await blobOf("{}");
  await expectStatus(pushBlob(world.origin, "team/app", config), 201);
  // Its owner lies about what his image has.
  const image = await imageOf(config, [secret]);
  world.answer(({ url }) =>
    url.pathname.includes("/manifests/")
      ? new Response(image.bytes, { headers: { "Content-Type": image.mediaType } })
      : undefined,
  );
  const id = await begin(world);
  const job = await drive(world.client, id);
  expect(job).toMatchObject({ state: "failed", error: { code: "BLOB_UNKNOWN" } });
  await expectStatus(world.client.ask(`HEAD /v2/${target}/blobs/${secret.digest}`), 404);
  await expectStatus(world.client.ask(`HEAD /v2/${target}/manifests/1`), 404);
});

it("brings a large blob in one piece from an upstream that serves no ranges", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  world.answer((sent) => (sent.url.pathname.includes("/blobs/") ? letIn(world, sent) : undefined));
  const id = await begin(world);
  await drive(world.client, id);
  await pullWhole(world.client, target, "1", pushed);
});

it.each([
  ["what is no reference", "up/team/app", 400],
  ["a repository of ours", "team/app:1", 400],
  ["an address", "https://upstream.example/team/app:1", 400],
  ["an address of an inner network", "169.254.169.254/latest:1", 400],
  ["a tag that is none", "up/team/app:-", 400],
  ["a digest that is none", "up/team/app@sha256:abc", 400],
  ["the prefix alone", "up:1", 404],
  ["what the configuration denies", "up/secret/app:1", 403],
])("refuses %s", async (_what, from, status) => {
  const world = createImportWorld({ upstream: { deny: ["secret/*"] } });
  const answer = await ask(world.client, from);
  expect([answer.status, world.sent]).toEqual([status, []]);
  expect((await keysOf(world)).filter((key) => key.includes("skerry/imports"))).toEqual([]);
});
