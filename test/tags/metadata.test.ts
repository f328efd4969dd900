import { expect, it } from "vitest";
import { parseRepositoryName, type Tag } from "../../src/oci/name.ts";
import { pushImage } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

it.each([
  ["none at all", (): Record<string, string> => ({})],
  [
    "the media type under another name",
    ({ "media-type": mediaType = "", ...rest }: Record<string, string>) => ({ ...rest, mediaType }),
  ],
  [
    "names in lower case",
    ({ "media-type": mediatype = "", ...rest }: Record<string, string>) => ({ ...rest, mediatype }),
  ],
])("a tag whose register has as metadata %s is read, listed and pulled by its body", async (_, rename) => {
  const world = createTestRegistry();
  const client = world.client("client", { kvRecords: false });
  const image = await pushImage(client, "app", "1", "image");
  const key = client.registry.store.layout.tag(parseRepositoryName("app"), "1" as Tag);
  const bucket = world.r2.actor("copier");
  const object = await bucket.get(key);
  const customMetadata = rename(object?.customMetadata ?? {});
  await bucket.put(key, (await object?.text()) ?? "", { customMetadata });

  const pulled = await client.ask("GET /v2/app/manifests/1");
  expect([pulled.status, pulled.headers.get("Docker-Content-Digest")]).toEqual([200, image.digest]);
  expect((await client.ask("HEAD /v2/app/manifests/1")).status).toBe(200);
  const listed = await client.ask("GET /v2/app/tags/list");
  expect(await listed.json()).toEqual({ name: "app", tags: ["1"] });
});
