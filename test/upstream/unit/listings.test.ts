import { describe, expect, it } from "vitest";
import { blobOf, imageOf, noise, pushBlob, pushImage, putManifest } from "../../support/content.ts";
import { createWorld, type World } from "./world.ts";

interface Index {
  readonly manifests: readonly { readonly digest: string }[];
}

const tagsOf = async (answer: Response) => (await answer.json<{ tags: string[]; name: string }>()).tags;

describe("the tags of an upstream's repository", () => {
  it("are the upstream's, page by page", async () => {
    const world = createWorld();
    for (const tag of ["a", "b", "c"]) await pushImage(world.origin, "team/app", tag, "same");
    const first = await world.client.ask("GET /v2/up/team/app/tags/list?n=2");
    expect(await tagsOf(first.clone())).toEqual(["a", "b"]);
    expect(await first.json()).toMatchObject({ name: "up/team/app" });
    const [, next = ""] = /<([^>]+)>/.exec(first.headers.get("Link") ?? "") ?? [];
    expect(next).toMatch(/^\/v2\/up\/team\/app\/tags\/list\?/);
    const second = await world.client.ask(`GET ${next}`);
    expect(await tagsOf(second)).toEqual(["c"]);
    expect(second.headers.has("Link")).toBe(false);
  });

  it("are those that are here, with a warning, when the upstream fails", async () => {
    const world = createWorld();
    for (const tag of ["a", "b"]) await pushImage(world.origin, "team/app", tag, "same");
    await world.client.ask("GET /v2/up/team/app/manifests/b");
    world.answer(() => new Response("", { status: 500 }));
    const answer = await world.client.ask("GET /v2/up/team/app/tags/list");
    expect(answer.headers.get("Warning")).toMatch(/^299 - "/);
    expect(await tagsOf(answer)).toEqual(["b"]);
    expect((await world.client.ask("GET /v2/up/team/other/tags/list")).status).toBe(502);
  });

  it("of a repository that there is not are 404", async () => {
    const world = createWorld();
    expect((await world.client.ask("GET /v2/up/team/app/tags/list")).status).toBe(404);
  });
});

describe("the referrers of an upstream's manifest", () => {
  async function signed(world: World) {
    const image = await pushImage(world.origin, "team/app", "1", "first");
    const config = await blobOf("{}");
    const layer = await blobOf(noise(10));
    for (const blob of [config, layer]) await pushBlob(world.origin, "team/app", blob);
    const subject = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.byteLength };
    const signature = await imageOf(config, [layer], { subject, artifactType: "application/x.sig" });
    const other = await imageOf(config, [layer], { subject, artifactType: "application/x.other" });
    for (const manifest of [signature, other])
      await putManifest(world.origin, "team/app", manifest.digest, manifest);
    return { image, signature, other };
  }

  it("are the upstream's, filtered", async () => {
    const world = createWorld();
    const { image, signature } = await signed(world);
    const path = `GET /v2/up/team/app/referrers/${image.digest}`;
    expect((await (await world.client.ask(path)).json<Index>()).manifests).toHaveLength(2);
    const filtered = await world.client.ask(`${path}?artifactType=application/x.sig`);
    expect(filtered.headers.get("OCI-Filters-Applied")).toBe("artifactType");
    expect((await filtered.json<Index>()).manifests.map(({ digest }) => digest)).toEqual([signature.digest]);
  });

  it("are those under the tag that stands for them where there is no API", async () => {
    const world = createWorld();
    const { image, signature, other } = await signed(world);
    const fallback = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [signature, other].map(({ digest, mediaType, bytes }, index) => ({
        mediaType,
        digest,
        size: bytes.byteLength,
        artifactType: index === 0 ? "application/x.sig" : "application/x.other",
      })),
    };
    world.answer(({ url }) => {
      if (url.pathname.includes("/referrers/")) return new Response("", { status: 404 });
      return url.pathname.endsWith(image.digest.replace(":", "-")) ? Response.json(fallback) : undefined;
    });
    const answer = await world.client.ask(
      `GET /v2/up/team/app/referrers/${image.digest}?artifactType=application/x.sig`,
    );
    expect((await answer.json<Index>()).manifests.map(({ digest }) => digest)).toEqual([signature.digest]);
  });

  it("are none where there are none", async () => {
    const world = createWorld();
    world.answer(() => new Response("", { status: 404 }));
    const answer = await world.client.ask(`GET /v2/up/team/app/referrers/sha256:${"a".repeat(64)}`);
    expect([answer.status, (await answer.json<Index>()).manifests]).toEqual([200, []]);
  });
});
