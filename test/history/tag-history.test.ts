import { describe, expect, it } from "vitest";
import { expectStatus, pushImage, putManifest } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

interface DatedTag {
  readonly tag: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly updatedAt: string;
}

async function datedTags(response: Response): Promise<readonly DatedTag[]> {
  return (await response.json<{ tags: DatedTag[] }>()).tags;
}

const minute = 60_000;

describe("the dated tag list", () => {
  it("tells digest, media type, size and time of each tag, by name", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const b = await pushImage(client, "app", "b", "1");
    const setB = world.clock.now();
    world.clock.advance(minute);
    await pushImage(client, "app", "a", "2");
    const tags = await datedTags(await client.ask("GET /v2/app/_skerry/tags"));
    expect(tags.map(({ tag }) => tag)).toEqual(["a", "b"]);
    expect(tags[1]).toEqual({
      tag: "b",
      digest: b.digest,
      mediaType: b.mediaType,
      size: b.bytes.byteLength,
      updatedAt: new Date(setB).toISOString(),
    });
  });

  it("by time is newest first, and pages without losing or repeating a tag", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const image = await pushImage(client, "app", "t0", "1");
    for (const [index, tag] of ["t1", "t2", "t3", "t4", "t5"].entries()) {
      // Two tags each share their time.
      if (index % 2 === 0) world.clock.advance(minute);
      await putManifest(client, "app", tag, image);
    }
    const seen: string[] = [];
    let next: string | undefined = "/v2/app/_skerry/tags?sort=time&n=2";
    while (next !== undefined) {
      const page = await expectStatus(client.ask(`GET ${next}`), 200);
      seen.push(...(await datedTags(page)).map(({ tag }) => tag));
      next = /<([^>]+)>/.exec(page.headers.get("Link") ?? "")?.[1];
    }
    expect(seen).toEqual(["t5", "t3", "t4", "t1", "t2", "t0"]);
  });

  it.each([
    ["an unknown repository", "GET /v2/none/_skerry/tags", 404],
    ["an unknown order", "GET /v2/app/_skerry/tags?sort=size", 400],
    ["a cursor of another order", "GET /v2/app/_skerry/tags?sort=time&last=a", 400],
    ["a bad n", "GET /v2/app/_skerry/tags?n=-1", 400],
  ])("of %s is refused", async (_what, request, status) => {
    const client = createTestRegistry().client();
    await pushImage(client, "app", "1", "a");
    expect((await client.ask(request)).status).toBe(status);
  });
});

describe("the history of a tag", () => {
  it("tells what it named, newest first, also when it is deleted", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const one = await pushImage(client, "app", "1", "a");
    world.clock.advance(minute);
    const two = await pushImage(client, "app", "1", "b");
    const first = await client.ask("GET /v2/app/_skerry/tags/1/history");
    expect(await first.json()).toMatchObject({
      tag: "1",
      digest: two.digest,
      history: [{ digest: two.digest }, { digest: one.digest }],
    });
    await client.ask("DELETE /v2/app/manifests/1");
    const after = await client.ask("GET /v2/app/_skerry/tags/1/history");
    expect(await after.json()).toMatchObject({
      digest: null,
      deletedAt: new Date(world.clock.now()).toISOString(),
      history: [{ digest: two.digest }, { digest: one.digest }],
    });
  });

  it("is not there for a tag that never was", async () => {
    const client = createTestRegistry().client();
    await pushImage(client, "app", "1", "a");
    expect((await client.ask("GET /v2/app/_skerry/tags/2/history")).status).toBe(404);
  });
});

describe("restoring a tag", () => {
  async function retagged() {
    const world = createTestRegistry();
    const client = world.client();
    const one = await pushImage(client, "app", "1", "a");
    const two = await pushImage(client, "app", "1", "b");
    return { world, client, one, two };
  }

  async function digestOfTag(client: Awaited<ReturnType<typeof retagged>>["client"]) {
    return (await client.ask("HEAD /v2/app/manifests/1")).headers.get("Docker-Content-Digest");
  }

  it("goes back to the digest before", async () => {
    const { client, one } = await retagged();
    const answer = await expectStatus(client.ask("POST /v2/app/_skerry/tags/1/restore"), 200);
    expect(answer.headers.get("Docker-Content-Digest")).toBe(one.digest);
    expect(await digestOfTag(client)).toBe(one.digest);
  });

  it("brings a deleted tag back, for distribution too", async () => {
    const { world, client, two } = await retagged();
    await client.ask("DELETE /v2/app/manifests/1");
    await expectStatus(client.ask("POST /v2/app/_skerry/tags/1/restore"), 200);
    expect(await digestOfTag(client)).toBe(two.digest);
    const link = await world.r2
      .actor("observer")
      .get("docker/registry/v2/repositories/app/_manifests/tags/1/current/link");
    expect(await link?.text()).toBe(two.digest);
  });

  it("goes to the digest that the body names, if the tag ever named it", async () => {
    const { client, one, two } = await retagged();
    const other = await pushImage(client, "app", "2", "c");
    const restore = (digest: string) =>
      client.ask("POST /v2/app/_skerry/tags/1/restore", { body: JSON.stringify({ digest }) });
    expect((await restore(other.digest)).status).toBe(404);
    expect(await digestOfTag(client)).toBe(two.digest);
    expect((await restore(one.digest)).status).toBe(200);
    expect(await digestOfTag(client)).toBe(one.digest);
  });

  it("of a deleted manifest is refused, and leaves no tag", async () => {
    const { client, two } = await retagged();
    await client.ask(`DELETE /v2/app/manifests/${two.digest}`);
    const body = JSON.stringify({ digest: two.digest });
    expect((await client.ask("POST /v2/app/_skerry/tags/1/restore", { body })).status).toBe(404);
    expect((await client.ask("HEAD /v2/app/manifests/1")).status).toBe(404);
  });

  it("obeys conditions and immutable tags", async () => {
    const { world, client, one, two } = await retagged();
    const headers = { "If-Match": `"${one.digest}"` };
    expect((await client.ask("POST /v2/app/_skerry/tags/1/restore", { headers })).status).toBe(412);
    const strict = world.client("strict", {
      immutableTags: [{ repository: "app", tag: "1" }],
    });
    expect((await strict.ask("POST /v2/app/_skerry/tags/1/restore")).status).toBe(409);
    expect(await digestOfTag(client)).toBe(two.digest);
  });

  it.each(["[]", "x", '{"digest":1}', '{"digest":"sha256:1"}', " ".repeat(5000)])(
    "with the body %j is a 400",
    async (body) => {
      const { client } = await retagged();
      expect((await client.ask("POST /v2/app/_skerry/tags/1/restore", { body })).status).toBe(400);
    },
  );
});

it("extensions are discoverable", async () => {
  const client = createTestRegistry().client();
  expect(await (await client.ask("GET /v2/_oci/ext/discover")).json()).toEqual({ extensions: [] });
  const answer = await client.ask("GET /v2/app/_oci/ext/discover");
  expect(await answer.json()).toMatchObject({ extensions: [{ name: "_skerry" }] });
});
