import { expect, it } from "vitest";
import type { RepositoryName, Tag } from "../../src/oci/name.ts";
import { pushImage } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

it("answers with 50,000 tags at most, and says where the rest is", { timeout: 60_000 }, async () => {
  const world = createTestRegistry();
  const client = world.client();
  await pushImage(client, "app", "t", "a");
  const { bucket, layout } = client.registry.store;
  const register = await bucket.get(layout.tag("app" as RepositoryName, "t" as Tag));
  const body = await register?.text();
  const options = { customMetadata: register?.customMetadata ?? {} };
  const name = (index: number) => `t${String(index).padStart(5, "0")}` as Tag;
  for (let index = 1; index <= 50_000; index++) {
    await bucket.put(layout.tag("app" as RepositoryName, name(index)), body ?? "", options);
  }
  const first = await client.ask("GET /v2/app/tags/list");
  const { tags } = (await first.json()) as { readonly tags: readonly string[] };
  expect([tags.length, tags[0], tags.at(-1)]).toEqual([50_000, "t", name(49_999)]);
  expect(first.headers.get("Link")).toBe(`</v2/app/tags/list?last=${name(49_999)}>; rel="next"`);
  const rest = await client.ask(`GET /v2/app/tags/list?last=${name(49_999)}`);
  expect(await rest.json()).toEqual({ name: "app", tags: [name(50_000)] });
  expect(rest.headers.get("Link")).toBeNull();
});
