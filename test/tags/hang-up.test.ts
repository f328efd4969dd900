import { describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { pushImage, type TestManifest } from "../support/content.ts";
import { type Client, createTestRegistry, origin, type TestRegistry } from "../support/registry.ts";
import { tagMany, tagsOf } from "./many-tags.ts";

/**
 * Sends a request whose client hangs up before the answer. From then on the platform runs only what was handed to
 * `waitUntil`, so this resolves when that is done, whatever has become of the answer.
 * @throws Error if the answer comes although nothing was handed over.
 */
async function hangUp({ registry }: Client, method: string, path: string, init: RequestInit = {}) {
  let answer: Promise<Response> | undefined;
  const work = await new Promise<Promise<unknown>>((handedOver, failed) => {
    const context = { waitUntil: handedOver, passThroughOnException: () => undefined, props: {} };
    const request = new Request(new URL(path, origin), { ...init, method });
    answer = Promise.resolve(createApp(registry).fetch(request, {}, context as unknown as ExecutionContext));
    answer.then(() => failed(new Error("nothing was handed to waitUntil")), failed);
  });
  await work;
}

function expectNothingOf(world: TestRegistry, tags: readonly string[]): void {
  const keys = [...world.r2.store.objects()].map(({ key }) => key);
  const records = [...world.kv.store.entries().keys()];
  for (const tag of tags) {
    expect(keys).not.toContain(`docker/registry/v2/repositories/app/_manifests/tags/${tag}/current/link`);
    expect(records).not.toContain(`strong:app:${tag}`);
  }
}

async function place(): Promise<{ world: TestRegistry; client: Client; image: TestManifest }> {
  const world = createTestRegistry();
  const client = world.client();
  return { world, client, image: await pushImage(client, "app", undefined, "a") };
}

describe("a client that hangs up", () => {
  it("does not stop its DELETE by digest: every tag goes, and what is derived from it", async () => {
    const { world, client, image } = await place();
    const tags = await tagMany(client, "app", image, 30, "t");
    await hangUp(client, "DELETE", `/v2/app/manifests/${image.digest}`);
    expectNothingOf(world, tags);
    expect(await tagsOf(client, "app")).toEqual([]);
    // Nothing is left to do for a repetition.
    expect((await client.ask(`DELETE /v2/app/manifests/${image.digest}`)).status).toBe(404);
  });

  it("does not stop its DELETE by tag", async () => {
    const { world, client, image } = await place();
    const tags = await tagMany(client, "app", image, 1, "t");
    await hangUp(client, "DELETE", `/v2/app/manifests/${tags[0]}`);
    expectNothingOf(world, tags);
  });

  it("does not stop its PUT halfway: tag, link and record agree", async () => {
    const { world, client, image } = await place();
    await hangUp(client, "PUT", "/v2/app/manifests/t", {
      headers: { "Content-Type": image.mediaType, "Content-Length": String(image.bytes.byteLength) },
      body: image.bytes,
    });
    const head = await client.ask("HEAD /v2/app/manifests/t");
    expect(head.headers.get("Docker-Content-Digest")).toBe(image.digest);
    const link = await world.r2
      .actor("reader")
      .get("docker/registry/v2/repositories/app/_manifests/tags/t/current/link");
    expect(await link?.text()).toBe(image.digest);
    expect([...world.kv.store.entries().keys()]).toEqual(["strong:app:t"]);
  });
});
