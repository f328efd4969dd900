import { describe, expect, it } from "vitest";
import { everyFault, faults } from "../doubles/faults.ts";
import { type Call, immediate } from "../doubles/gate.ts";
import { mutates, type Operation } from "../doubles/operation.ts";
import { counted } from "../doubles/rounds.ts";
import { blobOf, expectStatus, imageOf, pushBlob, putManifest, type TestBlob } from "../support/content.ts";
import {
  app,
  type ClaimsWorld,
  createClaimsWorld,
  doom,
  grow,
  hour,
  journals,
  layout,
  passes,
  step,
  unlinkedClaims,
} from "./claims-world.ts";

const minute = 60_000;

async function doomed(...names: readonly string[]): Promise<ClaimsWorld> {
  const world = await createClaimsWorld();
  await doom(world, "app", ...names);
  return world;
}

/** The keys that are left, but for what collectors remember. */
function keysOf({ r2 }: ClaimsWorld): readonly string[] {
  const bookkeeping = /\/skerry\/(?:adopt|keys|gc\/(?!journal))/;
  return [...r2.store.objects()].map(({ key }) => key).filter((key) => !bookkeeping.test(key));
}

/** What is there when nothing but the image that is kept ever was. */
async function keptKeys(): Promise<readonly string[]> {
  return keysOf(await createClaimsWorld());
}

const isClaim = (key: string) => layout.parse(key)?.kind === "owner";
const isJournal = (key: string) => layout.parse(key)?.kind === "gcJournal";

/** The collector dies between the links of a sweep and their claims. */
async function dieBetweenRanks(world: ClaimsWorld, actor = "collector"): Promise<void> {
  let hasJournal = false;
  let isDead = false;
  const matching = ({ actor: whose, kind, keys }: Operation) => {
    if (whose !== actor) return false;
    hasJournal ||= kind === "put" && keys.some(isJournal);
    isDead ||= hasJournal && kind === "delete" && keys.some(isClaim);
    return isDead;
  };
  world.gate.policy = faults([{ when: "before", matching }]);
  await expect(step(world, actor)).rejects.toThrow("internal error");
  world.gate.policy = immediate;
}

describe("a pass that dies", () => {
  it.each([
    { what: "dies", dies: true },
    { what: "fails once", dies: false },
  ])("leaves nothing to ordinary passes, wherever it $what", async ({ dies }) => {
    const expected = await keptKeys();
    const left = new Set<number>();
    const runs = await everyFault({
      prepare: () => doomed(),
      flow: (world) => step(world),
      dies,
      matching: mutates,
      check: async ({ world, operation, when }) => {
        left.add(unlinkedClaims(world).length);
        await passes(world, 6);
        expect(keysOf(world), `${operation} ${when}`).toEqual(expected);
      },
    });
    expect(runs).toBeGreaterThan(15);
    // The deleted manifest's own, and at times those of its blobs.
    expect([...left].sort()).toEqual([0, 1, 3]);
  });

  it("may die again and again while it looks at what the one before left", async () => {
    const expected = await keptKeys();
    await everyFault({
      prepare: async () => {
        const world = await doomed();
        await dieBetweenRanks(world);
        world.clock.advance(hour);
        return world;
      },
      flow: (world) => step(world),
      dies: true,
      matching: mutates,
      check: async ({ world, operation, when }) => {
        await passes(world, 6);
        expect(keysOf(world), `${operation} ${when}`).toEqual(expected);
      },
    });
  });

  it("leaves a blob that is pushed again to those who look at what it left", async () => {
    const world = await doomed();
    await dieBetweenRanks(world);
    expect(journals(world)).toHaveLength(1);
    const again = await blobOf("layer of gone from app");
    world.clock.advance(hour);
    await expectStatus(pushBlob(world.user, "app", again), 201);
    await passes(world, 1);
    expect(journals(world)).toEqual([]);
    await expectStatus(world.user.ask(`GET /v2/app/blobs/${again.digest}`), 200);
    expect(await world.r2.actor("observer").head(layout.owner(again.digest, app))).not.toBeNull();
  });
});

describe("two collectors", () => {
  it("look at what a third one left at once", async () => {
    const world = await doomed();
    await dieBetweenRanks(world);
    world.clock.advance(hour);
    await Promise.all([step(world, "one"), step(world, "two")]);
    await passes(world, 5);
    expect(keysOf(world)).toEqual(await keptKeys());
  });

  it("keep what each of them wrote down, though the first goes on when it was thought dead", async () => {
    // The second one finds garbage in another repository, after that of the first.
    const world = await doomed("zoo");
    const held = holdFirst(
      world,
      ({ operation }) => operation.kind === "delete" && isJournal(operation.keys[0] ?? ""),
    );
    const first = step(world, "first");
    await held.reached;
    const [ofFirst] = journals(world);
    world.clock.advance(6 * minute);
    await dieBetweenRanks(world, "second");
    expect(journals(world)).toHaveLength(2);
    held.release();
    await first;
    expect(journals(world)).toHaveLength(1);
    expect(journals(world)).not.toContain(ofFirst);
    await passes(world, 6);
    expect(keysOf(world)).toEqual(await keptKeys());
  });

  it("take nothing that came again for a journal that lands late, and the late one takes nothing", async () => {
    const world = await doomed();
    const held = holdFirst(
      world,
      ({ operation }) => operation.kind === "put" && isJournal(operation.keys[0] ?? ""),
    );
    const first = step(world, "first");
    await held.reached;
    world.clock.advance(6 * minute);
    const again = await blobOf("layer of gone from app");
    await passes(world, 1);
    await expectStatus(pushBlob(world.user, "app", again), 201);
    const before = world.gate.trace.length;
    held.release();
    await first;
    const deleted = world.gate.trace.slice(before).filter(({ kind }) => kind === "delete");
    expect(deleted.flatMap(({ keys }) => keys).filter((key) => /_layers|owners/.test(key))).toEqual([]);
    await passes(world, 1);
    expect(journals(world)).toEqual([]);
    await expectStatus(world.user.ask(`GET /v2/app/blobs/${again.digest}`), 200);
  });

  it("leave claims that one of them found without link, while the other was at work, to the next pass", async () => {
    const world = await createClaimsWorld();
    await passes(world, 1);
    const { digest } = await blobOf("of a push that died");
    await world.r2.actor("user").put(layout.owner(digest, app), "");
    world.clock.advance(48 * hour);
    const at = String(world.clock.now());
    await world.r2.actor("other").put(layout.guard(), at, { customMetadata: { state: "sweeping", at } });
    await passes(world, 1);
    expect(unlinkedClaims(world)).toHaveLength(1);
    await passes(world, 1);
    expect(unlinkedClaims(world)).toEqual([]);
    expect(journals(world)).toEqual([]);
  });
});

/** Keeps the first such operation from taking effect until it is released. */
function holdFirst(world: ClaimsWorld, matching: (call: Call) => boolean) {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let isHeld = false;
  world.gate.policy = async (call) => {
    if (isHeld || !matching(call)) return undefined;
    isHeld = true;
    reached.resolve();
    await released.promise;
    return undefined;
  };
  return { reached: reached.promise, release: () => released.resolve() };
}

describe("what is written down", () => {
  it("costs one write and one delete a sweep of links, and a list a pass", async () => {
    const world = await doomed();
    const sweeping = await counted(world.gate, () => step(world));
    const journaled = sweeping.operations.filter((operation) => operation.includes(layout.gcJournals()));
    const id = "[0-9a-f-]{36}";
    expect(journaled).toEqual([
      expect.stringMatching(`^R2 put ${layout.gcJournals()}${id}$`),
      expect.stringMatching(`^R2 delete ${layout.gcJournals()}${id}$`),
      `R2 list ${layout.gcJournals()}`,
    ]);
    await passes(world, 5);
    const quiet = await counted(world.gate, () => step(world));
    expect(quiet.operations.filter((operation) => operation.includes(layout.gcJournals()))).toEqual([
      `R2 list ${layout.gcJournals()}`,
    ]);
  });

  it("may be more than a step's operations suffice for", async () => {
    const world = await createClaimsWorld();
    const layers: TestBlob[] = [];
    for (let index = 0; index < 100; index++) {
      const layer = await blobOf(`layer ${index}`);
      await expectStatus(pushBlob(world.user, "app", layer), 201);
      layers.push(layer);
    }
    const image = await imageOf(await blobOf('{"seed":"kept"}'), layers);
    await expectStatus(putManifest(world.user, "app", "large", image), 201);
    await grow(world);
    await expectStatus(world.user.ask(`DELETE /v2/app/manifests/${image.digest}`), 202);
    await passes(world, 1);
    await dieBetweenRanks(world);
    expect(unlinkedClaims(world).length).toBeGreaterThan(60);
    world.clock.advance(hour);
    await passes(world, 5, { operations: 100 });
    expect(keysOf(world)).toEqual(await keptKeys());
  });
});
