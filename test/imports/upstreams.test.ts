import { beforeEach, describe, expect, it, vi } from "vitest";
import { blobOf, expectStatus, imageOf, noise, pushBlob } from "../support/content.ts";
import { letIn, type Sent, type World } from "../upstream/unit/world.ts";
import {
  begin,
  createImportWorld,
  drive,
  pullWhole,
  pushUpstream,
  rangeSize,
  step,
  target,
  told,
} from "./world.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

const isBlob = ({ url }: Sent) => url.pathname.includes("/blobs/");
const isManifest = ({ url }: Sent) => url.pathname.includes("/manifests/");

/** The upstream as it is, ranges included. */
function honest({ origin }: World, { method, url, headers }: Sent): Promise<Response> {
  return origin.ask(`${method} ${url.href}`, { headers });
}

/** The first so many requests of a kind are answered otherwise. */
function atFirst(
  world: World,
  times: number,
  isMeant: (sent: Sent) => boolean,
  otherwise: (sent: Sent) => Response | Promise<Response>,
) {
  let left = times;
  world.answer((sent) => (isMeant(sent) && left-- > 0 ? otherwise(sent) : honest(world, sent)));
}

async function changed(
  world: World,
  sent: Sent,
  change: (bytes: Uint8Array) => Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const answer = await honest(world, sent);
  return new Response(change(new Uint8Array(await answer.arrayBuffer())), answer);
}

function flipped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes, (byte, index) => (index === 0 ? byte ^ 1 : byte));
}

const broken = (bytes: Uint8Array) =>
  new ReadableStream({
    type: "bytes",
    pull(controller) {
      controller.enqueue(bytes.slice(0, 10_000));
      controller.error(new TypeError("network connection lost"));
    },
  });

/** A body of which no byte comes, which breaks when the request is aborted. */
const stalled = ({ signal }: Sent) =>
  new ReadableStream({
    type: "bytes",
    start: (controller) => signal?.addEventListener("abort", () => controller.error(signal.reason)),
  });

describe("an upstream that is at fault for a while", () => {
  it.each<
    [string, number, (sent: Sent) => boolean, (world: World, sent: Sent) => Response | Promise<Response>]
  >([
    ["answers 500", 4, () => true, () => new Response("", { status: 500 })],
    ["is not reached", 4, () => true, () => Promise.reject(new TypeError("connection refused"))],
    [
      "breaks off in a blob",
      3,
      isBlob,
      async (world, sent) => {
        const answer = await honest(world, sent);
        return new Response(broken(new Uint8Array(await answer.arrayBuffer())), answer);
      },
    ],
    ["sends a byte of a blob that is wrong", 2, isBlob, (world, sent) => changed(world, sent, flipped)],
    [
      "sends a byte of a range that is wrong",
      1,
      ({ headers }) => headers.has("Range"),
      (world, sent) => changed(world, sent, flipped),
    ],
    [
      "sends a blob that is too short",
      2,
      isBlob,
      (world, sent) => changed(world, sent, (bytes) => bytes.slice(0, -1) as Uint8Array<ArrayBuffer>),
    ],
    [
      "sends another range than was asked for",
      2,
      ({ headers }) => headers.has("Range"),
      async (world, sent) => {
        const answer = await honest(world, sent);
        const headers = new Headers(answer.headers);
        headers.set("Content-Range", "bytes 1-100000/350000");
        return new Response(answer.body, { status: 206, headers });
      },
    ],
    ["serves ranges at times", 1, ({ headers }) => /bytes=[1-9]/.test(headers.get("Range") ?? ""), letIn],
    [
      "sends another manifest",
      2,
      isManifest,
      () =>
        new Response("{}", {
          headers: {
            "Content-Type": "application/vnd.oci.image.manifest.v1+json",
            "Docker-Content-Digest": `sha256:${"0".repeat(64)}`,
          },
        }),
    ],
  ])("and %s", async (_what, times, isMeant, answer) => {
    const world = createImportWorld();
    const pushed = await pushUpstream(world);
    atFirst(world, times, isMeant, (sent) => answer(world, sent));
    const id = await begin(world);
    expect(await drive(world.client, id)).toMatchObject({ state: "done" });
    await pullWhole(world.client, target, "1", pushed);
  });
});

it.each([
  ["a range", ({ headers }: Sent) => headers.has("Range")],
  ["a small blob", isBlob],
])("breaks off %s that does not come, and asks again", async (_what, isMeant) => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  atFirst(world, 1, isMeant, async (sent) => {
    const answer = await honest(world, sent);
    return new Response(stalled(sent), answer);
  });
  const id = await begin(world);
  expect(await drive(world.client, id, { transferTime: { range: 50, whole: 50 } })).toMatchObject({
    state: "done",
  });
  await pullWhole(world.client, target, "1", pushed);
});

it("waits as long as an upstream wants that limits requests, whoever asks it to go on", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  atFirst(
    world,
    1,
    () => true,
    () => new Response("", { status: 429, headers: { "Retry-After": "1800" } }),
  );
  const id = await begin(world);
  await step(world.client, id);
  expect(await told(world.client, id)).toMatchObject({ state: "open", error: { code: "TOOMANYREQUESTS" } });
  const path = `/v2/${target}/_skerry/imports/${id}`;
  // In another isolate nobody remembers what the upstream said.
  const other = world.isolate();
  const early = await other.ask(`POST ${path}`, { headers: { "Content-Type": "application/json" } });
  expect([early.status, early.headers.get("Retry-After"), world.sent.length]).toEqual([200, "1800", 1]);
  world.edge.clock.advance(1_800_000);
  expect(await drive(other, id)).toMatchObject({ state: "done" });
  await pullWhole(other, target, "1", pushed);
});

it("outlasts an upstream that lets nothing through for a day", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  const { clock } = world.edge;
  const tomorrow = clock.now() + 24 * 3600_000;
  world.answer((sent) => (clock.now() < tomorrow ? new Response("", { status: 429 }) : honest(world, sent)));
  const id = await begin(world);
  expect(await drive(world.client, id, {}, 150)).toMatchObject({ state: "done" });
  expect(world.sent.length).toBeLessThan(150);
  await pullWhole(world.client, target, "1", pushed);
});

it.each([
  [401, "UNAUTHORIZED"],
  [403, "DENIED"],
  [404, "MANIFEST_UNKNOWN"],
])("ends at once with the upstream's %i", async (status, code) => {
  const world = createImportWorld();
  await pushUpstream(world);
  world.answer(() => new Response("", { status }));
  const id = await begin(world);
  await step(world.client, id);
  expect(await told(world.client, id)).toMatchObject({ state: "failed", error: { code } });
});

it("gives up an upstream that stays away, and leaves nothing of a blob that it began", async () => {
  const world = createImportWorld();
  await pushUpstream(world);
  const id = await begin(world);
  const began = world.edge.clock.now();
  world.answer((sent) =>
    /bytes=[1-9]/.test(sent.headers.get("Range") ?? "")
      ? new Response("", { status: 503 })
      : honest(world, sent),
  );
  expect(await drive(world.client, id)).toMatchObject({ state: "failed", error: { code: "UNKNOWN" } });
  expect(world.edge.clock.now() - began).toBeGreaterThan(30 * 60_000);
  const { objects } = await world.edge.r2.actor("onlooker").list();
  expect(objects.filter(({ key }) => key.includes("/_uploads/"))).toEqual([]);
});

it("does without a layer that clients get elsewhere, and not without another", async () => {
  const world = createImportWorld();
  const config = await blobOf("{}");
  const layer = await blobOf("a layer");
  const elsewhere = await blobOf(noise(1000, 3));
  for (const blob of [config, layer]) await expectStatus(pushBlob(world.origin, "team/app", blob), 201);
  const { bytes, mediaType } = await imageOf(config, [layer, elsewhere]);
  const manifest = JSON.parse(new TextDecoder().decode(bytes));
  Object.assign(manifest.layers[1], {
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
    urls: ["https://layers.example/one"],
  });
  const image = { ...(await blobOf(JSON.stringify(manifest))), mediaType };
  const pushed = world.origin.ask("PUT /v2/team/app/manifests/1", {
    headers: { "Content-Type": mediaType },
    body: image.bytes,
  });
  await expectStatus(pushed, 201);
  const id = await begin(world);
  expect(await drive(world.client, id)).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", { image, blobs: [config, layer] });
  await expectStatus(world.client.ask(`HEAD /v2/${target}/blobs/${elsewhere.digest}`), 404);
});

it("brings a blob that is too large for one put", async () => {
  const world = createImportWorld({ variables: { SINGLE_PUT_LIMIT: String(5 * 1024 * 1024) } });
  const pushed = await pushUpstream(world, { large: 6 * 1024 * 1024 });
  const id = await begin(world);
  expect(await drive(world.client, id, { rangeSize: 10 * rangeSize })).toMatchObject({ state: "done" });
  await pullWhole(world.client, target, "1", pushed);
});
