import { describe, expect, it } from "vitest";
import { VirtualClock } from "../doubles/clock.ts";
import type { KvOptions } from "../doubles/kv-store.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  noise,
  pushBlob,
  pushImage,
  putManifest,
  type TestManifest,
} from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import { dice, runAtRandom } from "./random-run.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

function eventual(kv: Omit<Partial<KvOptions>, "clock"> = {}) {
  const world = createTestRegistry({
    kv: { readerCache: minute, ...kv },
    config: { tagConsistency: "eventual" },
  });
  return { world, pusher: world.client("pusher"), reader: world.client("reader") };
}

async function pulled(client: Client, method = "GET"): Promise<string | number> {
  const answer = await client.ask(`${method} /v2/app/manifests/t`);
  return answer.status === 200 ? (answer.headers.get("Docker-Content-Digest") ?? "") : answer.status;
}

describe("eventual reading", () => {
  it("sees a tag that moved within a minute, and before that what it was", async () => {
    const { world, pusher, reader } = eventual();
    const a = await pushImage(pusher, "app", "t", "a");
    expect(await pulled(reader)).toBe(a.digest);
    const b = await pushImage(pusher, "app", "t", "b");
    expect(await pulled(reader)).toBe(a.digest);
    expect(await pulled(reader, "HEAD")).toBe(b.digest);
    world.clock.advance(minute);
    expect(await pulled(reader)).toBe(b.digest);
  });

  it("sees a tag that moved within half an hour and a minute when KV lost that, if it is used", async () => {
    const { world, pusher, reader } = eventual({
      delay: (write) => (write === 1 ? Number.POSITIVE_INFINITY : 0),
    });
    const a = await pushImage(pusher, "app", "t", "a");
    const b = await pushImage(pusher, "app", "t", "b");
    const seen: (string | number)[] = [];
    for (let elapsed = 0; elapsed <= 32 * minute; elapsed += minute) {
      seen.push(await pulled(reader));
      world.clock.advance(minute);
    }
    expect(seen.indexOf(b.digest)).toBe(32);
    expect(new Set(seen)).toEqual(new Set([a.digest, b.digest]));
  });

  it("sees a tag that moved within an hour and a minute when KV lost that and every repair", async () => {
    const { world, pusher, reader } = eventual({
      delay: (write) => (write > 0 ? Number.POSITIVE_INFINITY : 0),
    });
    const a = await pushImage(pusher, "app", "t", "a");
    const b = await pushImage(pusher, "app", "t", "b");
    world.clock.advance(hour - second);
    expect(await pulled(reader)).toBe(a.digest);
    world.clock.advance(minute + second);
    expect(await pulled(reader)).toBe(b.digest);
  });

  it("does not see a tag for longer than that after it was deleted", async () => {
    const { world, pusher, reader } = eventual();
    const a = await pushImage(pusher, "app", "t", "a");
    expect(await pulled(reader)).toBe(a.digest);
    await expectStatus(pusher.ask("DELETE /v2/app/manifests/t"), 202);
    expect(await pulled(reader)).toBe(a.digest);
    world.clock.advance(minute);
    expect(await pulled(reader)).toBe(404);
  });

  it("sees a new tag at once, although KV said a moment ago that there is none", async () => {
    const { pusher, reader } = eventual();
    expect(await pulled(reader)).toBe(404);
    const a = await pushImage(pusher, "app", "t", "a");
    expect(await pulled(reader)).toBe(a.digest);
  });

  it("does not take a manifest that is gone for a tag that is gone", async () => {
    const { pusher, reader } = eventual();
    const config = await blobOf("{}");
    await pushBlob(pusher, "app", config);
    // Too large to be carried by the record, which therefore only names it.
    const filler = Array.from(noise(70_000), (byte) => String.fromCharCode(97 + (byte % 26))).join("");
    const large = await imageOf(config, [], { annotations: { filler } });
    await expectStatus(putManifest(pusher, "app", "t", large), 201);
    expect(await pulled(reader)).toBe(large.digest);
    const b = await pushImage(pusher, "app", "t", "b");
    await expectStatus(pusher.ask(`DELETE /v2/app/manifests/${large.digest}`), 202);
    expect(await pulled(reader)).toBe(b.digest);
  });

  it("renews a record that is used without writing an older state over a newer one", async () => {
    const { world, pusher, reader } = eventual();
    await pushImage(pusher, "app", "t", "a");
    world.clock.advance(31 * minute);
    // The tag moves between the reader's look at the register and its write.
    let moved: TestManifest | undefined;
    world.gate.policy = async ({ operation: { store, kind, actor } }) => {
      if (moved === undefined && store === "KV" && kind === "put" && actor === "reader") {
        world.gate.policy = () => undefined;
        moved = await pushImage(pusher, "app", "t", "b");
      }
      return undefined;
    };
    await pulled(reader);
    expect(moved).toBeDefined();
    world.clock.advance(minute);
    expect(await pulled(world.client("another"))).toBe(moved?.digest);
  });
});

describe("random pushes, deletes and pulls in eventual mode", () => {
  it("never show what the tag has not named for an hour and two minutes", { timeout: 60_000 }, async () => {
    for (let run = 0; run < 3; run++) {
      const drawn = dice(`eventual ${run}`);
      const world = createTestRegistry({
        config: { tagConsistency: "eventual" },
        clock: new VirtualClock({ automatic: true }),
        kv: {
          readerCache: minute,
          delay: () => (drawn.roll() < 0.3 ? Number.POSITIVE_INFINITY : drawn.roll() * minute),
        },
      });
      const setup = world.client("setup");
      const images: TestManifest[] = [];
      for (const name of ["A", "B", "C"]) images.push(await pushImage(setup, "app", undefined, name));
      /** When the tag last named a digest, by digest. */
      const named = new Map<string, number>();
      let ever = 0;
      const observe = () => {
        const register = world.r2.store.read("get", "docker/registry/v2/repositories/app/_skerry/tags/t");
        const { digest } = register?.customMetadata ?? {};
        if (digest !== undefined) named.set(digest, world.clock.now());
      };
      const writer = world.client("writer");
      const readers = ["one", "two", "three"].map((name) => {
        const client = world.client(name);
        return {
          name,
          async send() {
            const begin = world.clock.now();
            const digest = await pulled(client);
            if (digest === 404) return;
            ever += 1;
            const last = named.get(String(digest)) ?? Number.NEGATIVE_INFINITY;
            expect(begin - last).toBeLessThanOrEqual(hour + 2 * minute);
          },
        };
      });
      await runAtRandom({
        world,
        dice: drawn,
        actors: [
          ...readers,
          {
            name: "writer",
            async send() {
              const image = drawn.pick(images);
              if (drawn.roll() < 0.7) await expectStatus(putManifest(writer, "app", "t", image), 201);
              else await writer.ask(`DELETE /v2/app/manifests/t`);
            },
          },
        ],
        requests: 120,
        kvFailures: 0.1,
        observe,
      });
      expect(ever).toBeGreaterThan(20);
    }
  });
});
