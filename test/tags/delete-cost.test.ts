import { describe, expect, it } from "vitest";
import { seedDelete } from "../../bench/seed-delete.ts";
import { parseRepositoryName } from "../../src/oci/name.ts";
import { counted } from "../doubles/rounds.ts";
import { expectStatus, pushImage } from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import { createTestRegistry } from "../support/registry.ts";
import { tagMany, tagsOf } from "./many-tags.ts";

const name = parseRepositoryName("app");
const onDigest = 10;

/** A repository of so many tags, ten of which name the image that is to be deleted. */
async function repositoryOf(size: number) {
  const world = createTestRegistry();
  const client = world.client("client");
  const other = await pushImage(client, "app", undefined, "other");
  const image = await pushImage(client, "app", undefined, "to be deleted");
  await tagMany(client, "app", other, size - onDigest, "other");
  await tagMany(client, "app", image, onDigest, "wanted");
  return { world, client, image };
}

async function costOfDelete(size: number) {
  const { world, client, image } = await repositoryOf(size);
  const cost = await counted(world.gate, () => client.ask(`DELETE /v2/app/manifests/${image.digest}`));
  expect(cost.result.status).toBe(202);
  return { cost, left: await tagsOf(client, "app") };
}

describe("DELETE by digest of a manifest that ten tags name", () => {
  it("costs the same in repositories of 100, 1,000 and 10,000 tags", { timeout: 60_000 }, async () => {
    for (const size of [100, 1000, 10_000]) {
      const { cost, left } = await costOfDelete(size);
      expect(left).toHaveLength(size - onDigest);
      expect({ tags: size, A: cost.A, B: cost.B, kv: cost.kv, rounds: cost.rounds }).toEqual({
        tags: size,
        A: 12,
        B: 22,
        kv: 10,
        rounds: 12,
      });
    }
  });

  it("takes a hundredth of the operations that distribution's scan takes at 10,000 tags", {
    timeout: 60_000,
  }, async () => {
    const { world, client, image } = await repositoryOf(10_000);
    const { store } = client.registry;
    const bucket = world.r2.actor("distribution");
    // On a copy: what distribution finds is what Skerry keeps for it.
    const objects = [...world.r2.store.objects()];
    const skerry = await counted(world.gate, () => client.ask(`DELETE /v2/app/manifests/${image.digest}`));
    world.r2.store.load(objects);
    const before = world.gate.trace.length;
    const removed = await seedDelete(bucket, store.layout, name, image.digest, { lookup: 6, untag: 6 });
    const operations = world.gate.trace.length - before;
    expect(removed).toBe(onDigest);
    expect(operations).toBeGreaterThan(100 * skerry.operations.length);
  });
});

describe("the width of a DELETE by digest", () => {
  it.each([1, 3, 6])("is CONCURRENCY_LIMIT=%i for look-up and removal", async (concurrency) => {
    const world = createTestRegistry({ config: { concurrency } });
    const client = world.client();
    const image = await pushImage(client, "app", undefined, "a");
    await tagMany(client, "app", image, 20, "t");
    const cost = await counted(world.gate, () => client.ask(`DELETE /v2/app/manifests/${image.digest}`));
    expect(cost.result.status).toBe(202);
    expect(cost.maxInFlight).toBe(concurrency);
  });

  it("is CONCURRENCY_LIMIT for the tags that distribution left too", async () => {
    const world = createTestRegistry({ config: { concurrency: 4 } });
    const distribution = new Distribution(world.r2.actor("distribution"));
    const tags = Array.from({ length: 20 }, (_, index) => `t${index}`);
    const image = await distribution.image("app", tags, "a");
    const cost = await counted(world.gate, () =>
      expectStatus(world.client().ask(`DELETE /v2/app/manifests/${image.digest}`), 202),
    );
    expect(cost.maxInFlight).toBe(4);
    expect([...world.r2.store.objects()].filter(({ key }) => key.includes("/current/link"))).toEqual([]);
  });
});
