import { describe, expect, it } from "vitest";
import { type Finding, printFinding } from "../../src/maintenance/check/finding.ts";
import { toHex } from "../../src/oci/digest.ts";
import { faults } from "../doubles/faults.ts";
import { mutates } from "../doubles/operation.ts";
import { counted } from "../doubles/rounds.ts";
import { neverBroken, settled } from "../interleavings/invariants.ts";
import { blobOf, expectStatus, noise, pushBlob, putManifest } from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import {
  app,
  type CheckWorld,
  check,
  createCheckWorld,
  currentLink,
  layout,
  register,
  tagged,
  Vandal,
} from "./check-world.ts";
import { type Damage, damages } from "./damages.ts";

const withoutOutcome = ({ repaired: _, ...finding }: Finding) => finding;

async function damaged({ harm }: Damage): Promise<CheckWorld> {
  const world = await createCheckWorld();
  await harm(new Vandal(world), world);
  return world;
}

/** The findings that a damage must give, each with what becomes of it. */
function expected(damage: Damage, world: CheckWorld, repair: boolean): readonly object[] {
  return damage
    .finds(world, repair)
    .map((finding) => ({ repaired: repair && damage.isRepaired, ...finding }));
}

describe("a check", () => {
  it("finds nothing in a bucket that fits together", async () => {
    const world = await createCheckWorld();
    const { findings, summary } = await check(world);
    expect(findings.map(printFinding)).toEqual([]);
    expect(summary).toEqual({ keys: expect.any(Number), found: 0, left: 0 });
    expect(summary.keys).toBeGreaterThan(30);
  });

  it.each(damages)("finds $what, and writes nothing", async (damage) => {
    const world = await damaged(damage);
    const before = world.world.gate.trace.length;
    const { findings, summary } = await check(world);
    expect(findings).toEqual(expected(damage, world, false));
    expect(summary.left).toBe(findings.length);
    expect(world.world.gate.trace.slice(before).filter(mutates)).toEqual([]);
    for (const finding of findings) expect(printFinding(finding)).toMatch(/^[a-zA-Z ]+: \S/);
  });

  it.each(damages)("of one repository finds $what too, and nothing of others", async (damage) => {
    const world = await damaged(damage);
    await new Vandal(world).write(`${layout.repositories()}zoo/_skerry/stray`, "x");
    await new Vandal(world).write(`${layout.repositories()}app/below/_skerry/stray`, "x");
    const { findings } = await check(world, { name: app });
    expect(findings).toEqual(expected(damage, world, false));
  });
});

describe("a check with --repair", () => {
  it.each(damages.filter(({ isRepaired }) => isRepaired))("mends $what", async (damage) => {
    const world = await damaged(damage);
    const { findings } = await check(world, { repair: true });
    expect(findings).toEqual(expected(damage, world, true));
    // What it cannot mend, it finds again: a manifest that needs what is gone.
    const again = await check(world);
    expect(again.findings).toEqual(findings.filter(({ repaired }) => !repaired));
    expect(settled(world.world)).toEqual([]);
  });

  it.each(damages.filter(({ isRepaired }) => !isRepaired))("leaves $what alone", async (damage) => {
    const world = await damaged(damage);
    const before = world.world.gate.trace.length;
    const { findings } = await check(world, { repair: true });
    expect(findings).toEqual(expected(damage, world, true));
    expect(world.world.gate.trace.slice(before).filter(mutates)).toEqual([]);
  });

  it("tells of a repair that failed, and goes on", async () => {
    const world = await createCheckWorld();
    const vandal = new Vandal(world);
    await vandal.remove(layout.catalog(app));
    await vandal.remove(tagged(world.image.digest, "a"));
    world.world.gate.policy = faults([
      { matching: ({ kind, keys }) => kind === "put" && keys.includes(layout.catalog(app)), when: "before" },
    ]);
    const { findings, summary } = await check(world, { repair: true });
    expect(findings.map(withoutOutcome)).toEqual([
      { kind: "missing reverse entry", name: "app", tag: "a", digest: world.image.digest },
      { kind: "missing catalog entry", name: "app", failure: expect.stringContaining("10001") },
    ]);
    expect(summary).toMatchObject({ found: 2, left: 1 });
  });
});

describe("a key at which R2 fails", () => {
  it("is a finding, and does not end the check", async () => {
    const world = await createCheckWorld();
    await new Vandal(world).remove(tagged(world.image.digest, "a2"));
    world.world.gate.policy = faults([
      { matching: ({ kind, keys }) => kind === "get" && keys.includes(register("a")), when: "before" },
    ]);
    const { findings } = await check(world);
    expect(findings).toMatchObject([
      { kind: "not checked", key: register("a") },
      { kind: "missing reverse entry", tag: "a2" },
    ]);
  });
});

describe("tags that change while a check looks", () => {
  it("are not held against their projections for two minutes", async () => {
    const world = await createCheckWorld();
    await expectStatus(putManifest(world.client, "app", "new", world.image), 201);
    await new Vandal(world).remove(currentLink("new"));
    expect((await check(world)).findings).toEqual([]);
    world.world.clock.advance(120_000);
    expect((await check(world)).findings).toMatchObject([{ kind: "stale projection", tag: "new" }]);
  });
});

describe("the digests of data", () => {
  const hash = async (body: ReadableStream, algorithm: "sha256" | "sha512") => {
    const digester = new crypto.DigestStream(algorithm === "sha256" ? "SHA-256" : "SHA-512");
    await body.pipeTo(digester);
    return toHex(await digester.digest);
  };

  it.each([undefined, app])("are compared if that is asked for (repository: %s)", async (name) => {
    const world = await createCheckWorld();
    const big = await blobOf(noise(100_000), "sha512");
    await expectStatus(pushBlob(world.client, "app", big), 201);
    await new Vandal(world).write(layout.blobData(world.layer.digest), "other bytes");
    expect((await check(world, { name })).findings).toEqual([]);
    const { findings } = await check(world, { name, hash });
    expect(findings).toEqual([{ kind: "wrong digest", digest: world.layer.digest, repaired: false }]);
  });
});

describe("a bucket of many pages", () => {
  it("is looked at to its end, and what distribution left in a repository is one finding", async () => {
    const world = await createCheckWorld();
    const tags = Array.from({ length: 250 }, (_, index) => `d${index}`);
    await new Distribution(world.world.r2.actor("distribution")).image("app", tags, "distribution's");
    await new Distribution(world.world.r2.actor("distribution")).image("zoo", ["z2"], "distribution's");
    const { findings, summary } = await check(world);
    expect(findings).toEqual([
      { kind: "not adopted", name: "app", links: 3, tags: 250, repaired: false },
      { kind: "not adopted", name: "zoo", links: 3, tags: 1, repaired: false },
    ]);
    expect(summary.keys).toBeGreaterThan(500);
  });
});

describe("what a check costs", () => {
  it("has no more in flight than CONCURRENCY_LIMIT, and reads each manifest once", async () => {
    const world = await createCheckWorld();
    const { store } = world.world.client("check").registry;
    const cost = await counted(world.world.gate, () => check(world));
    expect(cost.maxInFlight).toBe(store.concurrency);
    const manifests = cost.operations.filter((operation) =>
      operation.includes("get docker/registry/v2/blobs/"),
    );
    expect(new Set(manifests).size).toBe(manifests.length);
  });
});

it("the world of these tests fits together as the interleavings' does", async () => {
  const { world } = await createCheckWorld();
  expect([...neverBroken(world), ...settled(world)]).toEqual([]);
});
