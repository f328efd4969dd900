import { describe, expect, it, vi } from "vitest";
import { nothingMoves } from "../../doubles/rounds.ts";
import { blobOf, expectStatus, noise, pushBlob } from "../../support/content.ts";
import { createWorld, keysOf, type Sent, type World } from "./world.ts";

/** A blob that the upstream has. @returns its path here. */
async function push(world: World, size: number, name = "team/app"): Promise<string> {
  const blob = await blobOf(noise(size, size));
  await expectStatus(pushBlob(world.origin, name, blob), 201);
  return `/v2/up/${name}/blobs/${blob.digest}`;
}

/** Has the upstream refuse HEAD, and answer GET as told, or as it should. */
function refuse(world: World, status: number, get?: (sent: Sent) => Response): void {
  world.answer((sent) => (sent.method === "HEAD" ? new Response(null, { status }) : get?.(sent)));
}

async function head({ client }: World, path: string) {
  const answer = await client.ask(`HEAD ${path}`);
  return [answer.status, answer.headers.get("Content-Length")];
}

describe("an upstream that refuses HEAD", () => {
  it.each([400, 405, 501])("by %i is asked for one byte", async (status) => {
    const world = createWorld();
    const path = await push(world, 70_000);
    refuse(world, status);
    expect(await head(world, path)).toEqual([200, "70000"]);
    expect(world.sent.map(({ method, headers }) => `${method} ${headers.get("Range")}`)).toEqual([
      "HEAD null",
      "GET bytes=0-0",
    ]);
  });

  it("knows an empty blob too", async () => {
    const world = createWorld();
    const path = await push(world, 0);
    refuse(world, 405, () => new Response("", { status: 416, headers: { "Content-Range": "bytes */0" } }));
    expect(await head(world, path)).toEqual([200, "0"]);
  });

  it("and serves no ranges: its body is let go unread", async () => {
    const world = createWorld();
    const path = await push(world, 70_000);
    const cancelled = vi.fn();
    const body = new ReadableStream({ cancel: cancelled }, { highWaterMark: 0 });
    refuse(world, 405, () => new Response(body, { headers: { "Content-Length": "70000" } }));
    expect(await head(world, path)).toEqual([200, "70000"]);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  it.each([
    [404, "", 404],
    [403, "", 403],
    [400, "", 502],
    [416, "bytes */70000", 502],
  ])("and answers %i %s to GET has not got it for us: %i", async (status, place, expected) => {
    const world = createWorld();
    const path = await push(world, 70_000);
    refuse(world, 405, () => new Response("", { status, headers: { "Content-Range": place } }));
    expect((await head(world, path))[0]).toBe(expected);
  });

  it("in its storage, whose URLs are signed for GET, is asked there for one byte", async () => {
    const world = createWorld();
    const path = await push(world, 70_000);
    const storage = "https://storage.example";
    world.answer((sent) => {
      if (sent.url.origin !== storage) return Response.redirect(`${storage}${sent.url.pathname}`, 307);
      if (sent.method === "HEAD") return new Response(null, { status: 403 });
      const headers = { "Content-Range": "bytes 0-0/70000" };
      return new Response("x", { status: 206, headers });
    });
    expect(await head(world, path)).toEqual([200, "70000"]);
  });

  it("gives its word for bytes that another repository has brought", async () => {
    const world = createWorld();
    const path = await push(world, 70_000);
    await (await expectStatus(world.client.fetch(`GET ${path}`), 200)).arrayBuffer();
    await nothingMoves();
    const other = await push(world, 70_000, "team/other");
    refuse(world, 405);
    world.sent.length = 0;
    await (await expectStatus(world.client.fetch(`GET ${other}`), 200)).arrayBuffer();
    const links = (await keysOf(world)).filter((key) => key.includes("/_layers/"));
    expect(links.filter((key) => key.includes("/team/other/"))).toHaveLength(1);
    expect(world.sent.map(({ headers }) => headers.get("Range"))).toEqual([null, "bytes=0-0"]);
    const stranger = await world.client.ask(`GET ${path.replace("team/app", "team/none")}`);
    expect(stranger.status).toBe(404);
  });
});
