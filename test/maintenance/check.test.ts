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

/** Damage, and what a check must say of it. */
interface Damage {
  readonly what: string;
  readonly harm: (vandal: Vandal, world: CheckWorld) => Promise<unknown>;
  readonly finds: (world: CheckWorld, repair: boolean) => readonly object[];
  /** False where only a person can mend it. */
  readonly isRepaired: boolean;
}

/** Bytes that no digest in the bucket has. */
const nothing = `sha256:${"0".repeat(64)}`;

const damages: readonly Damage[] = [
  {
    what: "a tag whose manifest was deleted by a request that died",
    harm: (vandal, { image }) =>
      vandal.write(layout.revisionLink(app, image.digest), nothing, { tombstone: "1" }),
    finds: ({ image, index }) => [
      {
        kind: "missing reference",
        name: "app",
        digest: index.digest,
        reference: image.digest,
        repaired: false,
      },
      { kind: "dead tag", name: "app", tag: "a", digest: image.digest },
      { kind: "dead tag", name: "app", tag: "a2", digest: image.digest },
    ],
    isRepaired: true,
  },
  {
    what: "a tag of an earlier life of its manifest",
    harm: (vandal, { index }) =>
      vandal.relabel(layout.revisionLink(app, index.digest), (metadata) => ({
        ...metadata,
        generation: "new",
      })),
    finds: ({ index }) => [{ kind: "dead tag", name: "app", tag: "x", digest: index.digest }],
    isRepaired: true,
  },
  {
    what: "a tag whose manifest is not there at all",
    harm: (vandal, { index }) => vandal.remove(layout.revisionLink(app, index.digest)),
    finds: ({ index }) => [{ kind: "dead tag", name: "app", tag: "x", digest: index.digest }],
    isRepaired: true,
  },
  {
    what: "a tag without a reverse entry",
    harm: (vandal, { image }) => vandal.remove(tagged(image.digest, "a2")),
    finds: ({ image }) => [{ kind: "missing reverse entry", name: "app", tag: "a2", digest: image.digest }],
    isRepaired: true,
  },
  {
    what: "a tag link that is missing",
    harm: (vandal) => vandal.remove(currentLink("a")),
    finds: () => [{ kind: "stale projection", name: "app", tag: "a", where: "current/link" }],
    isRepaired: true,
  },
  {
    what: "a tag link that names another manifest",
    harm: (vandal, { index }) => vandal.write(currentLink("a"), index.digest),
    finds: () => [{ kind: "stale projection", name: "app", tag: "a", where: "current/link" }],
    isRepaired: true,
  },
  {
    what: "a tag link of a tag that was removed",
    harm: (vandal, { image }) => vandal.write(currentLink("gone"), image.digest),
    finds: () => [{ kind: "stale projection", name: "app", tag: "gone", where: "current/link" }],
    isRepaired: true,
  },
  {
    what: "a record in KV that names another manifest",
    harm: (vandal, { index }) =>
      vandal.writeRecord("a", { digest: index.digest, mediaType: "x", size: 1, generation: "", at: 0 }),
    finds: () => [{ kind: "stale projection", name: "app", tag: "a", where: "KV record" }],
    isRepaired: true,
  },
  {
    what: "a record in KV of a tag that was removed",
    harm: (vandal, { image }) =>
      vandal.writeRecord("gone", { digest: image.digest, mediaType: "x", size: 1, generation: "", at: 0 }),
    finds: () => [{ kind: "stale projection", name: "app", tag: "gone", where: "KV record" }],
    isRepaired: true,
  },
  {
    what: "a register that is no JSON",
    harm: (vandal) => vandal.relabel(register("a"), () => ({})).then(() => vandal.write(register("a"), "{")),
    finds: () => [{ kind: "damaged tag", name: "app", tag: "a" }],
    isRepaired: false,
  },
  {
    what: "a register that contradicts its metadata",
    harm: (vandal, { index }) =>
      vandal.relabel(register("a"), (metadata) => ({ ...metadata, digest: index.digest })),
    finds: () => [{ kind: "damaged tag", name: "app", tag: "a" }],
    isRepaired: false,
  },
  {
    what: "a layer whose data is gone",
    harm: (vandal, { layer }) => vandal.remove(layout.blobData(layer.digest)),
    finds: ({ image, layer }, repair) => {
      const link = { kind: "link without data", name: "app", digest: layer.digest };
      const reference = {
        kind: "missing reference",
        name: "app",
        digest: image.digest,
        reference: layer.digest,
        repaired: false,
      };
      return repair ? [link, reference] : [link];
    },
    isRepaired: true,
  },
  {
    what: "a manifest whose data is gone",
    harm: (vandal, { index }) => vandal.remove(layout.blobData(index.digest)),
    finds: ({ index }) => [{ kind: "manifest without data", name: "app", digest: index.digest }],
    isRepaired: false,
  },
  {
    what: "a manifest whose data is none",
    harm: (vandal, { index }) => vandal.write(layout.blobData(index.digest), "no manifest"),
    finds: ({ index }) => [{ kind: "not a manifest", name: "app", digest: index.digest }],
    isRepaired: false,
  },
  {
    what: "a layer that nobody claims",
    harm: (vandal, { layer }) => vandal.remove(layout.owner(layer.digest, app)),
    finds: ({ layer }) => [{ kind: "missing claim", name: "app", digest: layer.digest }],
    isRepaired: true,
  },
  {
    what: "a manifest that nobody claims",
    harm: (vandal, { index }) => vandal.remove(layout.owner(index.digest, app)),
    finds: ({ index }) => [{ kind: "missing claim", name: "app", digest: index.digest }],
    isRepaired: true,
  },
  {
    what: "a repository that is not in the catalog",
    harm: (vandal) => vandal.remove(layout.catalog(app)),
    finds: () => [{ kind: "missing catalog entry", name: "app" }],
    isRepaired: true,
  },
  {
    what: "a layer that a manifest needs and the repository does not have",
    harm: (vandal, { layer }) => vandal.remove(layout.layerLink(app, layer.digest)),
    finds: ({ image, layer }) => [
      { kind: "missing reference", name: "app", digest: image.digest, reference: layer.digest },
    ],
    isRepaired: false,
  },
  {
    what: "a referrer that is not listed",
    harm: (vandal, { image, referrer }) => vandal.remove(layout.referrer(app, image.digest, referrer.digest)),
    finds: ({ image, referrer }) => [
      { kind: "missing referrer", name: "app", digest: referrer.digest, subject: image.digest },
    ],
    isRepaired: true,
  },
  {
    what: "a referrer that is listed in an earlier life",
    harm: (vandal, { image, referrer }) =>
      vandal.relabel(layout.referrer(app, image.digest, referrer.digest), (metadata) => ({
        ...metadata,
        generation: "old",
      })),
    finds: ({ image, referrer }) => [
      { kind: "missing referrer", name: "app", digest: referrer.digest, subject: image.digest },
    ],
    isRepaired: true,
  },
  {
    what: "a referrer that is listed and gone",
    harm: (vandal, { referrer }) =>
      vandal.write(layout.revisionLink(app, referrer.digest), nothing, { tombstone: "1" }),
    finds: ({ image, referrer }) => [
      { kind: "dead referrer", name: "app", digest: referrer.digest, subject: image.digest },
    ],
    isRepaired: true,
  },
  {
    what: "a link that is no digest",
    harm: (vandal, { layer }) => vandal.write(layout.layerLink(app, layer.digest), "garbage"),
    finds: ({ image, layer }) => [
      { kind: "unreadable", key: layout.layerLink(app, layer.digest) },
      { kind: "missing reference", name: "app", digest: image.digest, reference: layer.digest },
    ],
    isRepaired: false,
  },
  {
    what: "a stray key",
    harm: (vandal) => vandal.write(`${layout.repositories()}app/_skerry/whatever`, "x"),
    finds: () => [{ kind: "stray key", key: `${layout.repositories()}app/_skerry/whatever` }],
    isRepaired: false,
  },
  {
    what: "tags and links that distribution wrote",
    harm: (_, { world }) =>
      new Distribution(world.r2.actor("distribution")).image("app", ["d1", "d2"], "distribution's"),
    finds: () => [{ kind: "not adopted", name: "app", links: 3, tags: 2 }],
    isRepaired: false,
  },
];

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
