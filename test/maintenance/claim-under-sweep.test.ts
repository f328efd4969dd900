import { expect, it } from "vitest";
import type { Bucket, Clock } from "../../src/storage/ports.ts";
import { blobOf, expectStatus, imageOf, pushBlob, putManifest } from "../support/content.ts";
import { createClient, createTestRegistry } from "../support/registry.ts";

/**
 * A sweep that verified an old claim before a PUT renewed it takes the renewed one. The link must not go live
 * meanwhile: if the request died then, its repetition would find a live manifest and claim nothing.
 */
it("a manifest goes live only with its claim, though a sweep takes the claim that was just renewed", async () => {
  const world = createTestRegistry();
  const client = world.client();
  const config = await blobOf("{}");
  await pushBlob(client, "app", config);
  const image = await imageOf(config, []);
  const { layout } = client.registry.store;
  const collector = world.r2.actor("collector");
  const owners = layout.owners(image.digest);
  const announce = (state: "sweeping" | "idle") =>
    collector.put(layout.guard(), JSON.stringify({ state, nonce: crypto.randomUUID() }), {
      customMetadata: { state, at: String(world.clock.now()) },
    });

  let swept = false;
  const claimedWhenLive: boolean[] = [];
  const bucket = world.r2.actor("client");
  const put = async (key: string, ...rest: unknown[]) => {
    if (key.includes("/_manifests/revisions/")) {
      claimedWhenLive.push((await collector.list({ prefix: owners })).objects.length > 0);
    }
    const object = await Reflect.apply(bucket.put, bucket, [key, ...rest]);
    if (!swept && key.startsWith(owners)) {
      swept = true;
      await announce("sweeping");
      await collector.delete(key);
    }
    return object;
  };
  const watched = new Proxy(bucket, {
    get(target, name) {
      const value = Reflect.get(target, name);
      return name === "put" ? put : typeof value === "function" ? value.bind(target) : value;
    },
  }) as unknown as Bucket;
  const clock: Clock = {
    now: () => world.clock.now(),
    async sleep(milliseconds) {
      await announce("idle");
      await world.clock.sleep(milliseconds);
    },
  };
  const pusher = createClient({ bucket: watched, kv: world.kv.actor("client"), clock }, {});
  await expectStatus(putManifest(pusher, "app", "1", image), 201);
  expect(swept).toBe(true);
  expect(claimedWhenLive).toEqual([true]);
});
