import { describe, expect, it } from "vitest";
import { blobOf, imageOf, indexOf, pushBlob, pushImage, putManifest } from "../../support/content.ts";
import { createRetentionWorld, day, hour, type RetentionWorld } from "./world.ts";

const untagged = { untagged: { keepHours: 48 } };

async function isThere(world: RetentionWorld, digest: string): Promise<boolean> {
  return (await world.client.ask(`HEAD /v2/app/manifests/${digest}`)).status === 200;
}

/** Passes a day apart, for as long as it takes from first sight to the end. */
async function passes(world: RetentionWorld, count = 4): Promise<void> {
  for (let pass = 0; pass < count; pass++) {
    await world.pass();
    world.registry.clock.advance(day + hour);
  }
}

/** An image with a subject, as a signature is. */
async function pushSignature(
  world: RetentionWorld,
  subject: { digest: string; mediaType: string; bytes: Uint8Array },
) {
  const config = await blobOf("{}");
  await pushBlob(world.client, "app", config);
  const { digest, mediaType, bytes } = subject;
  const image = await imageOf(config, [config], { subject: { digest, mediaType, size: bytes.byteLength } });
  await putManifest(world.client, "app", image.digest, image);
  return image;
}

describe("manifests without a tag", () => {
  it("go once they have been seen so for long enough, with their layers and bytes", async () => {
    const world = createRetentionWorld(untagged);
    const kept = await pushImage(world.client, "app", "1", "kept");
    const gone = await pushImage(world.client, "app", undefined, "gone");
    world.registry.clock.advance(100 * day);
    await world.pass();
    world.registry.clock.advance(2 * day - hour);
    await world.pass();
    expect(await isThere(world, gone.digest)).toBe(true);
    world.registry.clock.advance(2 * hour);
    const { report } = await world.pass();
    expect(report.counts).toMatchObject({
      untaggedManifests: 1,
      untaggedManifestBytes: gone.bytes.byteLength,
    });
    expect(await isThere(world, gone.digest)).toBe(false);
    expect(await isThere(world, kept.digest)).toBe(true);
    for (let pass = 0; pass < 40; pass++) {
      world.registry.clock.advance(2 * day);
      await world.pass();
    }
    const keys = (await world.registry.r2.actor("onlooker").list()).objects.map(({ key }) => key);
    expect(keys.filter((key) => key.includes(gone.digest.slice(7)))).toEqual([]);
  });

  it("stay unless a rule says otherwise", async () => {
    const world = createRetentionWorld({ keep: { newest: 5 } });
    const { digest } = await pushImage(world.client, "app", undefined, "untagged");
    await passes(world);
    expect(await isThere(world, digest)).toBe(true);
  });

  it("stay no shorter than the grace", async () => {
    const world = createRetentionWorld({ untagged: { keepHours: 0 } });
    const { digest } = await pushImage(world.client, "app", undefined, "untagged");
    await world.pass();
    world.registry.clock.advance(day - hour);
    await world.pass();
    expect(await isThere(world, digest)).toBe(true);
    world.registry.clock.advance(2 * hour);
    await world.pass();
    expect(await isThere(world, digest)).toBe(false);
  });

  it("stay when they get a tag before their time has come, and their time begins anew when it goes", async () => {
    const world = createRetentionWorld(untagged);
    const image = await pushImage(world.client, "app", undefined, "image");
    await world.pass();
    world.registry.clock.advance(3 * day);
    await putManifest(world.client, "app", "late", image);
    await world.pass();
    expect(await isThere(world, image.digest)).toBe(true);
    await world.client.ask("DELETE /v2/app/manifests/late");
    await world.pass();
    world.registry.clock.advance(2 * day - hour);
    await world.pass();
    expect(await isThere(world, image.digest)).toBe(true);
  });

  it("stay as children of an index that lives, and go after it", async () => {
    const world = createRetentionWorld(untagged);
    const child = await pushImage(world.client, "app", undefined, "child");
    const index = await indexOf([child]);
    await putManifest(world.client, "app", "1", index);
    await passes(world);
    expect(await isThere(world, child.digest)).toBe(true);
    await world.client.ask("DELETE /v2/app/manifests/1");
    await passes(world, 3);
    expect([await isThere(world, index.digest), await isThere(world, child.digest)]).toEqual([false, true]);
    await passes(world, 4);
    expect(await isThere(world, child.digest)).toBe(false);
  });

  it("stay as referrers of a subject that lives, and go after it, off its list", async () => {
    const world = createRetentionWorld(untagged);
    const image = await pushImage(world.client, "app", "1", "image");
    const signature = await pushSignature(world, image);
    await passes(world);
    expect(await isThere(world, signature.digest)).toBe(true);
    await world.client.ask("DELETE /v2/app/manifests/1");
    await passes(world, 8);
    expect([await isThere(world, image.digest), await isThere(world, signature.digest)]).toEqual([
      false,
      false,
    ]);
    const referrers = await world.client.ask(`GET /v2/app/referrers/${image.digest}`);
    expect((await referrers.json<{ manifests: unknown[] }>()).manifests).toEqual([]);
  });

  it("stay while they are pulled by digest, where the rule asks for that", async () => {
    const world = createRetentionWorld({ untagged: { keepHours: 24, pulledWithinDays: 5 } });
    const used = await pushImage(world.client, "app", undefined, "used");
    const unused = await pushImage(world.client, "app", undefined, "unused");
    for (let pass = 0; pass < 10; pass++) {
      await world.client.ask(`GET /v2/app/manifests/${used.digest}`);
      await world.pass();
      world.registry.clock.advance(day);
    }
    expect([await isThere(world, used.digest), await isThere(world, unused.digest)]).toEqual([true, false]);
  });

  it("stay where another registry may know a tag of theirs", async () => {
    const world = createRetentionWorld(untagged, { foreignWrites: "allowed" });
    const { digest } = await pushImage(world.client, "app", undefined, "untagged");
    await passes(world);
    expect(await isThere(world, digest)).toBe(true);
  });

  it("are counted by a dry run, which neither marks nor removes", async () => {
    const world = createRetentionWorld(untagged);
    const { digest } = await pushImage(world.client, "app", undefined, "gone");
    await world.pass();
    world.registry.clock.advance(3 * day);
    expect((await world.pass({ dryRun: true })).report.counts.untaggedManifests).toBe(1);
    expect(await isThere(world, digest)).toBe(true);
  });
});

describe("a tag that retention removed", () => {
  const rule = { keep: { newerThanDays: 1 }, untagged: { keepHours: 72 } };
  const restore = (world: RetentionWorld) =>
    world.client.ask("POST /v2/app/_skerry/tags/1/restore", {
      headers: { "Content-Type": "application/json" },
    });

  async function expired() {
    const world = createRetentionWorld(rule);
    const image = await pushImage(world.client, "app", "1", "image");
    world.registry.clock.advance(2 * day);
    await world.pass();
    expect(await world.tags("app")).toEqual([]);
    return { world, image };
  }

  it("says so in its history, and comes back whole while its manifest is within the grace", async () => {
    const { world, image } = await expired();
    const history = await world.client.ask("GET /v2/app/_skerry/tags/1/history");
    expect(await history.json()).toMatchObject({ digest: null, deletedBy: "retention" });
    world.registry.clock.advance(3 * day - hour);
    await world.pass();
    expect((await restore(world)).status).toBe(200);
    const pulled = await world.client.ask("GET /v2/app/manifests/1");
    expect(new Uint8Array(await pulled.arrayBuffer())).toEqual(image.bytes);
    const { layers, config } = JSON.parse(new TextDecoder().decode(image.bytes));
    for (const { digest } of [config, ...layers])
      expect((await world.client.ask(`GET /v2/app/blobs/${digest}`)).status).toBe(200);
  });

  it("cannot come back once its manifest is gone, and the answer says so", async () => {
    const { world } = await expired();
    world.registry.clock.advance(3 * day + hour);
    await world.pass();
    const answer = await restore(world);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ errors: [{ code: "MANIFEST_UNKNOWN" }] });
  });
});
