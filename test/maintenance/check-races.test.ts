import { describe, expect, it } from "vitest";
import { neverBroken, settled } from "../interleavings/invariants.ts";
import { blobOf, expectStatus, pushBlob, pushImage, putManifest } from "../support/content.ts";
import { dice, runAtRandom } from "../tags/random-run.ts";
import {
  app,
  type CheckWorld,
  check,
  createCheckWorld,
  currentLink,
  layout,
  tagged,
  Vandal,
} from "./check-world.ts";

/** A repair, and a request that gets in between two of its operations. */
interface Race {
  readonly what: string;
  readonly harm: (vandal: Vandal, world: CheckWorld) => Promise<unknown>;
  readonly request: (world: CheckWorld) => Promise<Response>;
  readonly statuses: readonly number[];
  /** What was acknowledged, and must be so afterwards. */
  readonly acknowledged: (world: CheckWorld) => Promise<void>;
}

const tombstone = { tombstone: "1" };
const nothing = `sha256:${"0".repeat(64)}`;

async function expectTag({ client }: CheckWorld, tag: string, digest: string | undefined): Promise<void> {
  const head = await client.ask(`HEAD /v2/app/manifests/${tag}`);
  expect(head.status).toBe(digest === undefined ? 404 : 200);
  if (digest !== undefined) expect(head.headers.get("Docker-Content-Digest")).toBe(digest);
}

async function referrersOf({ client, image }: CheckWorld): Promise<readonly string[]> {
  const answer = await expectStatus(client.ask(`GET /v2/app/referrers/${image.digest}`), 200);
  return (await answer.json<{ manifests: { digest: string }[] }>()).manifests.map(({ digest }) => digest);
}

const kill = (vandal: Vandal, { index }: CheckWorld) =>
  vandal.write(layout.revisionLink(app, index.digest), nothing, tombstone);

const races: readonly Race[] = [
  {
    what: "a link without data, and a push of the blob",
    harm: (vandal, { layer }) => vandal.remove(layout.blobData(layer.digest)),
    request: ({ client, layer }) => pushBlob(client, "app", layer),
    statuses: [201],
    acknowledged: async ({ client, layer }) => {
      const answer = await expectStatus(client.ask(`GET /v2/app/blobs/${layer.digest}`), 200);
      expect((await blobOf(new Uint8Array(await answer.arrayBuffer()))).digest).toBe(layer.digest);
    },
  },
  {
    what: "a link without data, and a delete of the blob",
    harm: (vandal, { layer }) => vandal.remove(layout.blobData(layer.digest)),
    request: ({ client, layer }) => client.ask(`DELETE /v2/app/blobs/${layer.digest}`),
    // 404 once the repair has buried the link.
    statuses: [202, 404],
    acknowledged: async ({ client, layer }) => {
      await expectStatus(client.ask(`HEAD /v2/app/blobs/${layer.digest}`), 404);
    },
  },
  {
    what: "a dead tag, and a push of its manifest",
    harm: kill,
    request: ({ client, index }) => putManifest(client, "app", "x", index),
    statuses: [201],
    acknowledged: (world) => expectTag(world, "x", world.index.digest),
  },
  {
    what: "a dead tag, and a push of its manifest without the tag",
    harm: kill,
    request: ({ client, index }) => putManifest(client, "app", index.digest, index),
    statuses: [201],
    acknowledged: async ({ client, index }) => {
      await expectStatus(client.ask(`GET /v2/app/manifests/${index.digest}`), 200);
      await expectStatus(client.ask("GET /v2/app/manifests/x"), 404);
    },
  },
  {
    what: "a dead tag, and a push of another manifest to it",
    harm: kill,
    request: ({ client, image }) => putManifest(client, "app", "x", image),
    statuses: [201],
    acknowledged: (world) => expectTag(world, "x", world.image.digest),
  },
  {
    what: "a stale tag link, and a push to the tag",
    harm: (vandal) => vandal.remove(currentLink("a")),
    request: ({ client, index }) => putManifest(client, "app", "a", index),
    statuses: [201],
    acknowledged: (world) => expectTag(world, "a", world.index.digest),
  },
  {
    what: "a stale tag link, and a delete of the tag",
    harm: (vandal, { index }) => vandal.write(currentLink("a"), index.digest),
    request: ({ client }) => client.ask("DELETE /v2/app/manifests/a"),
    statuses: [202],
    acknowledged: (world) => expectTag(world, "a", undefined),
  },
  {
    what: "a tag link of a removed tag, and a push to the tag",
    harm: (vandal, { index }) => vandal.write(currentLink("gone"), index.digest),
    request: ({ client, image }) => putManifest(client, "app", "gone", image),
    statuses: [201],
    acknowledged: (world) => expectTag(world, "gone", world.image.digest),
  },
  {
    what: "a missing reverse entry, and a delete of the manifest",
    harm: (vandal, { index }) => vandal.remove(tagged(index.digest, "x")),
    request: ({ client, index }) => client.ask(`DELETE /v2/app/manifests/${index.digest}`),
    statuses: [202],
    acknowledged: async ({ client, index }) => {
      await expectStatus(client.ask(`GET /v2/app/manifests/${index.digest}`), 404);
    },
  },
  {
    what: "a missing referrer, and a delete of it",
    harm: (vandal, { image, referrer }) => vandal.remove(layout.referrer(app, image.digest, referrer.digest)),
    request: ({ client, referrer }) => client.ask(`DELETE /v2/app/manifests/${referrer.digest}`),
    statuses: [202],
    acknowledged: async (world) => expect(await referrersOf(world)).toEqual([]),
  },
  {
    what: "a missing referrer, and a push of it in a new life",
    harm: (vandal, { image, referrer }) => vandal.remove(layout.referrer(app, image.digest, referrer.digest)),
    request: async ({ client, referrer }) => {
      await expectStatus(client.ask(`DELETE /v2/app/manifests/${referrer.digest}`), 202);
      return putManifest(client, "app", referrer.digest, referrer);
    },
    statuses: [201],
    acknowledged: async (world) => expect(await referrersOf(world)).toEqual([world.referrer.digest]),
  },
  {
    what: "a dead referrer, and a push of it",
    harm: (vandal, { referrer }) =>
      vandal.write(layout.revisionLink(app, referrer.digest), nothing, tombstone),
    request: ({ client, referrer }) => putManifest(client, "app", referrer.digest, referrer),
    statuses: [201],
    acknowledged: async (world) => expect(await referrersOf(world)).toEqual([world.referrer.digest]),
  },
];

/** How many operations the repair has when nobody gets in between. */
async function operationsOf({ harm }: Race): Promise<number> {
  const world = await createCheckWorld();
  await harm(new Vandal(world), world);
  const before = world.world.gate.trace.length;
  await check(world, { name: app, repair: true });
  return world.world.gate.trace.length - before;
}

describe("a repair beside a request that gets in at any of its operations", () => {
  it.each(races)("$what", { timeout: 30_000 }, async (race) => {
    const operations = await operationsOf(race);
    for (let at = 0; at < operations; at++) {
      const world = await createCheckWorld();
      await race.harm(new Vandal(world), world);
      let count = 0;
      let answered = 0;
      world.world.gate.policy = async ({ operation }) => {
        if (operation.actor === "check" && count++ === at) answered = (await race.request(world)).status;
        return undefined;
      };
      await check(world, { name: app, repair: true });
      world.world.gate.policy = () => undefined;
      expect(race.statuses, `at operation ${at}`).toContain(answered);
      await race.acknowledged(world);
      // What one look cannot see, since the request came after it, the next one does.
      world.world.clock.advance(600_000);
      await check(world, { repair: true });
      await race.acknowledged(world);
      expect(settled(world.world), `at operation ${at}`).toEqual([]);
    }
  });
});

describe("repairs beside requests in any order of their operations", () => {
  it("harm nothing that was acknowledged, and in the end everything fits together", {
    timeout: 60_000,
  }, async () => {
    for (let run = 0; run < 8; run++) {
      const drawn = dice(`check ${run}`);
      const world = await createCheckWorld();
      const vandal = new Vandal(world);
      await vandal.remove(currentLink("a"));
      await vandal.remove(tagged(world.index.digest, "x"));
      await vandal.remove(layout.owner(world.layer.digest, app));
      await vandal.remove(layout.catalog(app));
      await vandal.remove(layout.referrer(app, world.image.digest, world.referrer.digest));
      const other = await pushImage(world.world.client("setup"), "app", undefined, "other");
      const writer = (name: string) => {
        const client = world.world.client(name);
        return {
          name,
          async send() {
            const tag = drawn.pick(["a", "a2", "x", "gone"]);
            const image = drawn.pick([world.image, other]);
            const request = drawn.pick([
              () => putManifest(client, "app", tag, image),
              () => putManifest(client, "app", world.referrer.digest, world.referrer),
              () => client.ask(`DELETE /v2/app/manifests/${tag}`),
              () => client.ask(`DELETE /v2/app/manifests/${drawn.pick([other, world.referrer]).digest}`),
              () => pushBlob(client, "app", world.layer),
            ]);
            expect((await request()).status).not.toBe(500);
          },
        };
      };
      const repairer = {
        name: "check",
        send: async () => void (await check(world, { name: app, repair: true })),
      };
      await runAtRandom({
        world: world.world,
        dice: drawn,
        actors: [writer("one"), writer("two"), repairer],
        requests: 40,
        kvFailures: 0,
        observe: () => undefined,
      });
      world.world.clock.advance(600_000);
      await check(world, { repair: true });
      expect([...neverBroken(world.world), ...settled(world.world)], `run ${run}`).toEqual([]);
      expect((await check(world)).findings).toEqual([]);
    }
  });
});
