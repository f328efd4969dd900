import { describe, expect, it } from "vitest";
import { blobOf, imageOf, indexOf, noise, pushBlob, pushImage, putManifest } from "../../support/content.ts";
import { codesOf, createWorld, keysOf, type World } from "./world.ts";

const path = "/v2/up/team/app/manifests/1";
/** Requests that wait for each other need a clock on which waiting takes time. */
const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};
const down = () => new Response("", { status: 503 });

async function pulled(variables = {}): Promise<World> {
  const world = createWorld({ variables });
  await pushImage(world.origin, "team/app", "1", "first");
  expect((await world.client.ask(`GET ${path}`)).status).toBe(200);
  world.sent.length = 0;
  return world;
}

/** A pull by tag: status, digest, whether it came with a warning, and what was asked of the upstream for it. */
async function pull(world: World, method = "GET", client = world.client) {
  world.sent.length = 0;
  const answer = await client.ask(`${method} ${path}`);
  return {
    status: answer.status,
    digest: answer.headers.get("Docker-Content-Digest"),
    warning: answer.headers.get("Warning"),
    asked: world.asked().map((line) => line.replace("/v2/team/app/manifests/", "")),
  };
}

describe("a manifest by tag", () => {
  it.each(["GET", "HEAD"])("comes from the upstream by one request, byte for byte: %s", async (method) => {
    const world = createWorld();
    const image = await pushImage(world.origin, "team/app", "1", "first");
    expect(await pull(world, method)).toEqual({
      status: 200,
      digest: image.digest,
      warning: null,
      asked: ["GET 1"],
    });
    const again = await world.client.ask(`GET ${path}`);
    expect(new Uint8Array(await again.arrayBuffer())).toEqual(image.bytes);
    expect(again.headers.get("Content-Type")).toBe(image.mediaType);
  });

  it("is served without asking while it is fresh, by other isolates too", async () => {
    const world = await pulled();
    world.edge.clock.advance(299_000);
    expect((await pull(world)).asked).toEqual([]);
    expect((await pull(world, "GET", world.isolate())).asked).toEqual([]);
  });

  it("is asked for by HEAD when it is not, and got if it moved", async () => {
    const world = await pulled();
    world.edge.clock.advance(301_000);
    expect((await pull(world)).asked).toEqual(["HEAD 1"]);
    expect((await pull(world)).asked).toEqual([]);
    const { digest } = await pushImage(world.origin, "team/app", "1", "second");
    world.edge.clock.advance(301_000);
    expect(await pull(world)).toEqual({ status: 200, digest, warning: null, asked: ["HEAD 1", "GET 1"] });
  });

  it("is not got when it moved to a manifest that is here", async () => {
    const world = await pulled();
    const { digest } = await pushImage(world.origin, "team/app", "2", "second");
    await world.client.ask(`GET /v2/up/team/app/manifests/${digest}`);
    await pushImage(world.origin, "team/app", "1", "second");
    world.edge.clock.advance(301_000);
    expect(await pull(world)).toMatchObject({ digest, asked: ["HEAD 1"] });
  });

  it.each([
    ["says no digest", (): Response => new Response("", { headers: { "Content-Type": "x/y" } })],
    ["does not know HEAD", (): Response => new Response("", { status: 405 })],
  ])("is got when the upstream %s", async (_, answer) => {
    const world = await pulled();
    const { digest } = await pushImage(world.origin, "team/app", "1", "second");
    world.answer(({ method }) => (method === "HEAD" ? answer() : undefined));
    world.edge.clock.advance(301_000);
    expect(await pull(world)).toMatchObject({ digest, asked: ["HEAD 1", "GET 1"] });
  });

  it.each([
    ["fails", down],
    ["limits requests", () => new Response("", { status: 429, headers: { "Retry-After": "30" } })],
    [
      "cannot be reached",
      () => {
        throw new TypeError("connection refused");
      },
    ],
  ])("is served as it was, with a warning, when the upstream %s", async (_, network) => {
    const world = await pulled();
    world.edge.clock.advance(301_000);
    world.answer(network);
    const stale = await pull(world);
    expect(stale).toMatchObject({ status: 200, asked: ["HEAD 1"] });
    expect(stale.warning).toMatch(/^299 - ".+"$/);
    expect(await pull(world)).toMatchObject({ status: 200, asked: [], warning: stale.warning });
    world.answer(undefined);
    world.edge.clock.advance(31_000);
    expect(await pull(world)).toMatchObject({ status: 200, asked: ["HEAD 1"], warning: null });
  });

  it("is gone when the upstream says so, and refused when it does", async () => {
    const world = await pulled();
    world.edge.clock.advance(301_000);
    world.answer(() => new Response("", { status: 404 }));
    expect((await pull(world)).status).toBe(404);
    world.edge.clock.advance(2000);
    world.answer(() => new Response("", { status: 403 }));
    expect((await pull(world)).status).toBe(403);
  });

  it("is got again when what the tag names is not here any more", async () => {
    // A record would carry the manifest, and serve it still.
    const world = await pulled({ KV_RECORDS: "off" });
    const { digest } = await pull(world);
    await world.edge.r2
      .actor("vandal")
      .delete(
        `docker/registry/v2/repositories/up/team/app/_manifests/revisions/sha256/${digest?.slice(7)}/link`,
      );
    expect(await pull(world)).toMatchObject({ status: 200, digest, asked: ["HEAD 1", "GET 1"] });
  });

  it("is asked for once, however many want it at once", async () => {
    const world = createWorld({ clock });
    await pushImage(world.origin, "team/app", "1", "first");
    world.sent.length = 0;
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.client.ask(`GET ${path}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(world.asked()).toEqual(["GET /v2/team/app/manifests/1"]);
  });

  it("fails once, however many want it at once", async () => {
    const world = createWorld({ clock });
    world.answer(down);
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.client.ask(`GET ${path}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(502));
    expect(world.sent.length).toBeLessThan(3);
  });
});

describe("a manifest by digest", () => {
  it("is got once, and kept whatever becomes of the upstream", async () => {
    const world = createWorld();
    const { digest } = await pushImage(world.origin, "team/app", "1", "first");
    const byDigest = `GET /v2/up/team/app/manifests/${digest}`;
    expect((await world.client.ask(byDigest)).status).toBe(200);
    world.answer(down);
    world.edge.clock.advance(1e10);
    world.sent.length = 0;
    expect((await world.client.ask(byDigest)).headers.get("Warning")).toBe(null);
    expect(world.asked()).toEqual([]);
  });

  it("of another repository is not given away", async () => {
    const world = createWorld();
    const { digest } = await pushImage(world.origin, "team/app", "1", "first");
    await world.client.ask(`GET ${path}`);
    expect((await world.client.ask(`GET /v2/up/team/other/manifests/${digest}`)).status).toBe(404);
  });

  it("is not taken with other bytes", async () => {
    const world = createWorld();
    const { digest } = await pushImage(world.origin, "team/app", "1", "first");
    const other = await imageOf(await blobOf("{}"), [await blobOf(noise(10))]);
    world.answer(() => new Response(other.bytes, { headers: { "Content-Type": other.mediaType } }));
    const answer = await world.client.ask(`GET /v2/up/team/app/manifests/${digest}`);
    expect([answer.status, await codesOf(answer)]).toEqual([502, ["UNKNOWN"]]);
    expect(await keysOf(world)).toEqual([]);
  });
});

it.each([
  [
    "other bytes than the digest says",
    `{"schemaVersion":2}`,
    { "Docker-Content-Digest": `sha256:${"0".repeat(64)}` },
  ],
  ["what is no manifest", "<html>", {}],
  [
    "a manifest of schema 1",
    `{"schemaVersion":1}`,
    { "Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws" },
  ],
  ["more than a manifest may have", " ".repeat(5 * 1024 * 1024), {}],
])("an upstream that sends %s is not believed", async (_, body, headers) => {
  const world = createWorld();
  world.answer(() => new Response(body, { headers: headers as HeadersInit }));
  const answer = await world.client.ask(`GET ${path}`);
  expect([answer.status, await codesOf(answer)]).toEqual([502, ["UNKNOWN"]]);
  expect(await keysOf(world)).toEqual([]);
});

describe("an index", () => {
  it("comes without its children, each of which comes when it is asked for", async () => {
    const world = createWorld();
    const child = await pushImage(world.origin, "team/app", undefined, "child");
    const index = await indexOf([child]);
    await putManifest(world.origin, "team/app", "1", index);
    world.sent.length = 0;
    expect((await pull(world)).digest).toBe(index.digest);
    expect((await world.client.ask(`GET /v2/up/team/app/manifests/${child.digest}`)).status).toBe(200);
  });
});

describe("a repository of an upstream", () => {
  it("is reached by its prefix, by `ns`, and by host", async () => {
    const world = createWorld({ upstream: { hosts: ["mirror.example"] } });
    await pushImage(world.origin, "team/app", "1", "first");
    const byNamespace = await world.client.ask("GET /v2/team/app/manifests/1?ns=up");
    expect([byNamespace.status, byNamespace.headers.get("OCI-Namespace")]).toEqual([200, "up"]);
    expect((await world.client.ask("GET https://mirror.example/v2/team/app/manifests/1")).status).toBe(200);
    expect((await world.client.ask("GET /v2/team/app/manifests/1")).status).toBe(404);
    expect((await world.client.ask("GET /v2/team/app/manifests/1?ns=other.example")).status).toBe(404);
  });

  it.each([
    ["PUT /v2/up/team/app/manifests/1", 405],
    ["POST /v2/up/team/app/blobs/uploads/", 405],
    ["POST /v2/team/app/blobs/uploads/?ns=up", 405],
    ["DELETE /v2/up/team/app/manifests/1", 405],
  ])("takes no writes: %s", async (request, status) => {
    const world = createWorld();
    const answer = await world.client.ask(request, { body: "{}" });
    expect([answer.status, await codesOf(answer)]).toEqual([status, ["UNSUPPORTED"]]);
  });

  it("lives beside ours", async () => {
    const world = createWorld();
    await pushBlob(world.client, "upper/app", await blobOf("x"));
    const { digest } = await pushImage(world.client, "upper/app", "1", "ours");
    const ours = await world.client.ask("HEAD /v2/upper/app/manifests/1");
    expect(ours.headers.get("Docker-Content-Digest")).toBe(digest);
    expect(world.sent).toEqual([]);
  });

  it("that is not let through is refused, whatever is here", async () => {
    const world = createWorld({ upstream: { deny: ["team/*"] } });
    const answer = await world.client.ask(`GET ${path}`);
    expect([answer.status, await codesOf(answer)]).toEqual([403, ["DENIED"]]);
    expect(world.sent).toEqual([]);
  });

  it("of a registry that is read-only is what is here", async () => {
    const world = await pulled();
    const fixed = world.edge.client("fixed", { readOnly: true });
    world.edge.clock.advance(301_000);
    expect((await fixed.ask(`GET ${path}`)).status).toBe(200);
    expect((await fixed.ask("GET /v2/up/team/app/manifests/2")).status).toBe(404);
    expect(world.sent).toEqual([]);
  });
});
