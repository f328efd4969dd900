import { describe, expect, it } from "vitest";
import { blobOf, imageOf, indexOf, pushBlob, pushImage, putManifest } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

describe("an image", () => {
  it("is pushed and pulled, byte for byte, by tag and by digest", async () => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, "team/app", "1", "a");
    for (const reference of ["1", image.digest]) {
      const answer = await client.ask(`GET /v2/team/app/manifests/${reference}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("Content-Type")).toBe(image.mediaType);
      expect(answer.headers.get("Docker-Content-Digest")).toBe(image.digest);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(image.bytes);
    }
    const tags = await client.ask("GET /v2/team/app/tags/list");
    expect(await tags.json()).toEqual({ name: "team/app", tags: ["1"] });
    const catalog = await client.ask("GET /v2/_catalog");
    expect(await catalog.json()).toEqual({ repositories: ["team/app"] });
  });

  it("with sha512 digests keeps them", async () => {
    const client = createTestRegistry().client();
    const config = await blobOf("{}", "sha512");
    const layer = await blobOf("layer", "sha512");
    await pushBlob(client, "app", config);
    await pushBlob(client, "app", layer);
    const image = await imageOf(config, [layer], {}, "sha512");
    expect((await putManifest(client, "app", image.digest, image)).status).toBe(201);
    const index = await indexOf([image], {}, "sha512");
    expect((await putManifest(client, "app", `${index.digest}?tag=x`, index)).headers.get("OCI-Tag")).toBe(
      "x",
    );
    const answer = await client.ask("GET /v2/app/manifests/x");
    expect(answer.headers.get("Docker-Content-Digest")).toBe(index.digest);
  });

  it("deleted by digest takes its tags with it, and only its own", async () => {
    const client = createTestRegistry().client();
    const one = await pushImage(client, "app", "one", "a");
    await putManifest(client, "app", "uno", one);
    await pushImage(client, "app", "two", "b");
    expect((await client.ask(`DELETE /v2/app/manifests/${one.digest}`)).status).toBe(202);
    const tags = await client.ask("GET /v2/app/tags/list");
    expect(await tags.json()).toEqual({ name: "app", tags: ["two"] });
    expect((await client.ask("HEAD /v2/app/manifests/one")).status).toBe(404);
    expect((await client.ask(`HEAD /v2/app/manifests/${one.digest}`)).status).toBe(404);
  });
});
