import { describe, expect, it } from "vitest";
import {
  type AdoptState,
  fewestAdoptOperations,
  readAdoption,
  restartAdoption,
  runAdoptStep,
} from "../../src/maintenance/adopt.ts";
import { digestFrom } from "../../src/oci/digest.ts";
import { ociImageConfig } from "../../src/oci/media-type.ts";
import { parseRepositoryName, type Tag } from "../../src/oci/name.ts";
import { everyFault } from "../doubles/faults.ts";
import { counted } from "../doubles/rounds.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  indexOf,
  pushImage,
  putManifest,
  type TestManifest,
} from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

interface World extends TestRegistry {
  readonly client: TestRegistry["client"];
  readonly skerry: Client;
  readonly distribution: Distribution;
}

function createWorld(): World {
  const world = createTestRegistry();
  return {
    ...world,
    skerry: world.client(),
    distribution: new Distribution(world.r2.actor("distribution")),
  };
}

/** Steps until the adoption is done. */
async function adopt({ skerry }: World, operations = 10_000): Promise<AdoptState> {
  for (let steps = 0; steps < 1000; steps++) {
    const state = await runAdoptStep(skerry.registry.store, operations);
    if (state.done) return state;
  }
  throw new Error("the adoption does not end");
}

/** Every object of the bucket with its version, but for where the adoption stands. */
async function objectsOf(world: World): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let cursor: string | undefined; ; ) {
    const page = await world.r2.actor("observer").list(cursor === undefined ? {} : { cursor });
    for (const { key, version } of page.objects) {
      if (key !== world.skerry.registry.store.layout.adoptState()) found.set(key, version);
    }
    if (!page.truncated) return found;
    cursor = page.cursor;
  }
}

async function keysOf(world: World): Promise<string[]> {
  return [...(await objectsOf(world)).keys()];
}

function tagsOf(world: World, name: string): Promise<unknown> {
  return world.skerry.ask(`GET /v2/${name}/tags/list`).then((answer) => answer.json());
}

const nowhere = digestFrom("sha256", "d".repeat(64));

describe("adoption of a bucket that distribution wrote", () => {
  it("makes everything answer as if it had been pushed", async () => {
    const world = createWorld();
    const { distribution, skerry } = world;
    const image = await distribution.image("team/app", ["1", "latest"], "a");
    const child = await distribution.image("team/app", [], "child");
    const index = await indexOf([child]);
    await distribution.manifest("team/app", index, "multi");
    const signature = await distribution.image("team/app", [], "signature", {
      subject: { mediaType: image.mediaType, digest: image.digest, size: image.bytes.byteLength },
      artifactType: "application/example",
    });
    const state = await adopt(world);
    expect(state).toMatchObject({
      done: true,
      counts: { layerLinks: 6, manifests: 4, tags: 3, skipped: 0 },
      notes: [],
    });
    expect(await tagsOf(world, "team/app")).toEqual({ name: "team/app", tags: ["1", "latest", "multi"] });
    for (const [reference, manifest] of [
      ["1", image],
      ["latest", image],
      ["multi", index],
      [child.digest, child],
      [signature.digest, signature],
    ] as const) {
      const answer = await expectStatus(skerry.ask(`GET /v2/team/app/manifests/${reference}`), 200);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(manifest.bytes);
      expect(answer.headers.get("Content-Type")).toBe(manifest.mediaType);
    }
    const layer = await blobOf("layer of a");
    const blob = await expectStatus(skerry.ask(`GET /v2/team/app/blobs/${layer.digest}`), 200);
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(layer.bytes);
    const referrers = await skerry.ask(`GET /v2/team/app/referrers/${image.digest}`);
    expect(await referrers.json()).toMatchObject({
      manifests: [{ digest: signature.digest, artifactType: "application/example" }],
    });
    expect(await (await skerry.ask("GET /v2/_catalog")).json()).toEqual({ repositories: ["team/app"] });
    const head = await counted(world.gate, () => skerry.ask(`HEAD /v2/team/app/blobs/${layer.digest}`));
    expect(head.B).toBe(1);
  });

  it("tells when distribution set a tag", async () => {
    const world = createWorld();
    const { distribution, clock, skerry } = world;
    const image = await distribution.image("app", ["1"], "a");
    const at = clock.now();
    clock.advance(1_000_000);
    await adopt(world);
    const history = await (await skerry.ask("GET /v2/app/_skerry/tags/1/history")).json();
    expect(history).toMatchObject({
      history: [{ digest: image.digest, setAt: new Date(at).toISOString() }],
    });
  });

  it("lets a manifest be deleted by digest, with exactly its tags", async () => {
    const world = createWorld();
    const image = await world.distribution.image("app", ["1", "2"], "a");
    await world.distribution.image("app", ["3"], "b");
    await adopt(world);
    await expectStatus(world.skerry.ask(`DELETE /v2/app/manifests/${image.digest}`), 202);
    expect(await tagsOf(world, "app")).toEqual({ name: "app", tags: ["3"] });
    await expectStatus(world.skerry.ask("GET /v2/app/manifests/1"), 404);
    await expectStatus(putManifest(world.skerry, "app", "2", image), 201);
    await expectStatus(world.skerry.ask("GET /v2/app/manifests/2"), 200);
  });

  it("claims and lists what a repository with blobs alone has, without naming it in the catalog", async () => {
    const world = createWorld();
    const blob = await blobOf("x");
    await world.distribution.blob("blobs-only", blob);
    expect((await adopt(world)).counts).toMatchObject({ layerLinks: 1, manifests: 0 });
    await expectStatus(world.skerry.ask(`HEAD /v2/blobs-only/blobs/${blob.digest}`), 200);
    expect(await (await world.skerry.ask("GET /v2/_catalog")).json()).toEqual({ repositories: [] });
  });

  it("serves a blob under the sha512 that distribution links to its sha256", async () => {
    const world = createWorld();
    const blob = await blobOf("x");
    const other = await blobOf("x", "sha512");
    await world.distribution.blob("app", blob);
    await world.distribution.layerLink("app", other.digest, blob.digest);
    expect(await adopt(world)).toMatchObject({ counts: { layerLinks: 1, skipped: 0 } });
    const answer = await expectStatus(world.skerry.ask(`GET /v2/app/blobs/${other.digest}`), 200);
    expect(await answer.text()).toBe("x");
    const before = await objectsOf(world);
    await restartAdoption(world.skerry.registry.store);
    await adopt(world);
    expect(await objectsOf(world)).toEqual(before);
  });
});

describe("what adoption leaves alone, and names", () => {
  const cases: Record<string, (world: World) => Promise<string>> = {
    "an empty layer link": async ({ distribution }) => {
      const { digest } = await blobOf("x");
      await distribution.layerLink("app", digest, "");
      return `unreadable: layer link ${digest} of app`;
    },
    "a layer link to nothing": async ({ distribution }) => {
      await distribution.layerLink("app", nowhere);
      return `dangling: layer link ${nowhere} of app`;
    },
    "an unreadable revision link": async ({ distribution }) => {
      await distribution.revisionLink("app", nowhere, `${nowhere}\n`);
      return `unreadable: manifest ${nowhere} of app`;
    },
    "a revision link to nothing": async ({ distribution }) => {
      await distribution.revisionLink("app", nowhere);
      return `dangling: manifest ${nowhere} of app`;
    },
    "a revision that is no manifest": async ({ distribution }) => {
      const blob = await blobOf("not JSON");
      await distribution.manifest("app", { ...blob, mediaType: ociImageConfig });
      return `not a manifest: manifest ${blob.digest} of app`;
    },
    "an empty tag": async ({ distribution }) => {
      await distribution.currentLink("app", "1", "");
      return "unreadable: tag 1 of app";
    },
    "a tag whose manifest is missing": async ({ distribution }) => {
      await distribution.tag("app", "1", nowhere);
      return "dangling: tag 1 of app";
    },
    "a tag whose manifest has a link but no bytes": async ({ distribution }) => {
      await distribution.revisionLink("app", nowhere);
      await distribution.tag("app", "1", nowhere);
      return "dangling: tag 1 of app";
    },
    "a stray file": async ({ r2 }) => {
      const key = "docker/registry/v2/repositories/app/_manifests/tags/1/notes.txt";
      await r2.actor("vandal").put(key, "?");
      return `stray: ${key}`;
    },
    "a repository whose name is none": async ({ r2 }) => {
      const key = `docker/registry/v2/repositories/App/_layers/sha256/${"d".repeat(64)}/link`;
      await r2.actor("vandal").put(key, nowhere);
      return `stray: ${key}`;
    },
  };

  it.each(Object.entries(cases))("%s", async (_, damage) => {
    const world = createWorld();
    const whole = await world.distribution.image("app", ["whole"], "whole");
    const note = await damage(world);
    const before = await objectsOf(world);
    const state = await adopt(world);
    expect(state.notes).toContain(note);
    expect(state.counts.skipped).toBe(state.notes.length);
    expect(state.counts).toMatchObject({ layerLinks: 2, manifests: 1, tags: 1 });
    expect(await tagsOf(world, "app")).toEqual({ name: "app", tags: ["whole"] });
    await expectStatus(world.skerry.ask(`GET /v2/app/manifests/${whole.digest}`), 200);
    const after = await objectsOf(world);
    const adopted = new Set(
      [...after].filter(([key, version]) => before.get(key) !== version).map(([k]) => k),
    );
    for (const key of before.keys()) expect(after.has(key)).toBe(true);
    // Of what was there, the links of the whole image alone were written anew.
    expect([...before.keys()].filter((key) => adopted.has(key))).toHaveLength(3);
  });

  it("uploads that are not finished and the index of a tag's earlier digests, without a word", async () => {
    const world = createWorld();
    await world.r2
      .actor("distribution")
      .put("docker/registry/v2/repositories/app/_uploads/1/startedat", "now");
    await world.distribution.tag("app", "1", nowhere);
    await world.r2
      .actor("distribution")
      .delete("docker/registry/v2/repositories/app/_manifests/tags/1/current/link");
    expect(await adopt(world)).toMatchObject({ counts: { keys: 2, skipped: 0 }, notes: [] });
  });
});

/** The image that `pushImage` and `Distribution.image` make of a seed. */
async function imageOfSeed(seed: string): Promise<TestManifest> {
  return imageOf(await blobOf(`{"seed":${JSON.stringify(seed)}}`), [await blobOf(`layer of ${seed}`)]);
}

async function mixed({ distribution, skerry }: World): Promise<void> {
  const image = await distribution.image("a", ["1", "2"], "a");
  await distribution.image("a/b", ["1"], "signature", {
    subject: { mediaType: image.mediaType, digest: image.digest, size: image.bytes.byteLength },
  });
  await distribution.layerLink("c", nowhere);
  await distribution.tag("c", "1", nowhere);
  await pushImage(skerry, "pushed", "1", "pushed");
}

describe("steps", () => {
  it("come to the same end and the same counts however small they are", async () => {
    const ends = [];
    for (const operations of [10_000, 60, fewestAdoptOperations]) {
      const world = createWorld();
      await mixed(world);
      ends.push({ state: await adopt(world, operations), keys: await keysOf(world) });
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2]).toEqual(ends[0]);
  });

  it("never use more operations than they may", async () => {
    const world = createWorld();
    await mixed(world);
    for (let done = false; !done; ) {
      const { A, B, result } = await counted(world.gate, () =>
        runAdoptStep(world.skerry.registry.store, fewestAdoptOperations),
      );
      expect(A + B).toBeLessThanOrEqual(fewestAdoptOperations);
      done = result.done;
    }
  });

  it("refuse to run with fewer operations than they need to get any further", async () => {
    const { skerry } = createWorld();
    await expect(runAdoptStep(skerry.registry.store, fewestAdoptOperations - 1)).rejects.toThrow(RangeError);
  });

  it("write nothing a second time, and never delete", async () => {
    const world = createWorld();
    await mixed(world);
    const start = world.gate.trace.length;
    await adopt(world);
    const before = await objectsOf(world);
    await restartAdoption(world.skerry.registry.store);
    expect((await adopt(world)).counts).toMatchObject({ layerLinks: 0, manifests: 0, tags: 0 });
    expect(await objectsOf(world)).toEqual(before);
    expect(world.gate.trace.slice(start).filter(({ kind }) => kind === "delete")).toEqual([]);
  });

  it("leave a bucket of Skerry's own as it is", async () => {
    const world = createWorld();
    await pushImage(world.skerry, "app", "1", "a");
    const before = await objectsOf(world);
    expect((await adopt(world)).counts).toMatchObject({ layerLinks: 0, manifests: 0, tags: 0, skipped: 0 });
    expect(await objectsOf(world)).toEqual(before);
  });

  it("may die at any operation: the next ones come to the same end", async () => {
    const whole = createWorld();
    await mixed(whole);
    await adopt(whole);
    const end = await keysOf(whole);
    const runs = await everyFault({
      prepare: async () => {
        const world = createWorld();
        await mixed(world);
        return world;
      },
      flow: (world) => runAdoptStep(world.skerry.registry.store, 10_000),
      check: async ({ world, operation, when }) => {
        await adopt(world);
        expect(await keysOf(world), `${when} ${operation}`).toEqual(end);
      },
    });
    expect(runs).toBeGreaterThan(100);
  }, 60_000);

  it("say nothing before the first, and begin anew when told", async () => {
    const { registry } = createWorld().skerry;
    expect(await readAdoption(registry.store)).toBeUndefined();
    expect((await runAdoptStep(registry.store, 100)).done).toBe(true);
    await restartAdoption(registry.store);
    expect(await readAdoption(registry.store)).toMatchObject({ done: false, again: true });
  });
});

describe("beside requests", () => {
  /** Runs `request` before each operation of the adoption in turn. */
  async function beforeEachOperation(
    prepare: (world: World) => Promise<void>,
    request: (world: World) => Promise<unknown>,
    check: (world: World, requested: boolean) => Promise<void>,
  ): Promise<number> {
    for (let at = 0; ; at++) {
      const world = createWorld();
      await prepare(world);
      let operations = 0;
      let reached = false;
      world.gate.policy = async ({ operation }) => {
        if (operation.actor === "adoption" && operations++ === at) {
          reached = true;
          await request(world);
        }
        return undefined;
      };
      const { store } = world.client("adoption").registry;
      await runAdoptStep(store, 10_000);
      await check(world, reached);
      if (!reached) return at;
    }
  }

  it("a PUT of a tag wins over what distribution wrote", async () => {
    const runs = await beforeEachOperation(
      async ({ distribution, skerry }) => {
        await distribution.image("app", ["1"], "old");
        await pushImage(skerry, "app", undefined, "new");
      },
      async ({ skerry }) => {
        await expectStatus(putManifest(skerry, "app", "1", await imageOfSeed("new")), 201);
      },
      async (world, requested) => {
        const answer = await world.skerry.ask("HEAD /v2/app/manifests/1");
        const expected = await imageOfSeed(requested ? "new" : "old");
        expect(answer.headers.get("Docker-Content-Digest")).toBe(expected.digest);
      },
    );
    expect(runs).toBeGreaterThan(20);
  });

  it("a DELETE by digest leaves no tag", async () => {
    const runs = await beforeEachOperation(
      async ({ distribution }) => {
        await distribution.image("app", ["1"], "a");
      },
      async ({ skerry }) => {
        const { digest } = await imageOfSeed("a");
        await expectStatus(skerry.ask(`DELETE /v2/app/manifests/${digest}`), 202);
      },
      async (world, requested) => {
        const { digest } = await imageOfSeed("a");
        for (const reference of ["1", digest]) {
          const answer = await world.skerry.ask(`HEAD /v2/app/manifests/${reference}`);
          expect(answer.status).toBe(requested ? 404 : 200);
        }
        const list = await world.skerry.ask("GET /v2/app/tags/list");
        if (list.status === 200) {
          expect(await list.json()).toMatchObject({ tags: requested ? [] : ["1"] });
        }
      },
    );
    expect(runs).toBeGreaterThan(20);
  });
});

describe("a bucket that distribution wrote to once more", () => {
  it("has its tags follow distribution, and those that Skerry set later stay", async () => {
    const world = createWorld();
    const { distribution, skerry, clock } = world;
    await distribution.image("app", ["moved", "set", "same"], "first");
    await adopt(world);
    clock.advance(60_000);
    const second = await distribution.image("app", ["moved", "set"], "second");
    clock.advance(60_000);
    const third = await pushImage(skerry, "app", "set", "third");
    await restartAdoption(skerry.registry.store);
    expect((await adopt(world)).counts).toMatchObject({ manifests: 1, tags: 1 });
    for (const [tag, digest] of [
      ["moved", second.digest],
      ["set", third.digest],
    ]) {
      const answer = await skerry.ask(`HEAD /v2/app/manifests/${tag}`);
      expect(answer.headers.get("Docker-Content-Digest")).toBe(digest);
    }
    const history = (await (await skerry.ask("GET /v2/app/_skerry/tags/moved/history")).json()) as {
      readonly history: readonly unknown[];
    };
    expect(history.history).toHaveLength(2);
  });

  it("loses the tags and referrers that distribution has removed, and no others", async () => {
    const world = createWorld();
    const { skerry, clock } = world;
    const bucket = world.r2.actor("distribution");
    const { layout } = skerry.registry.store;
    const app = parseRepositoryName("app");
    const gone = await pushImage(skerry, "app", "with-manifest", "gone");
    const kept = await pushImage(skerry, "app", "alone", "kept");
    await expectStatus(putManifest(skerry, "app", "stays", kept), 201);
    const signature = await imageOf(await blobOf('{"seed":"kept"}'), [], {
      subject: { mediaType: kept.mediaType, digest: kept.digest, size: kept.bytes.byteLength },
    });
    await expectStatus(putManifest(skerry, "app", signature.digest, signature), 201);
    clock.advance(3600_000);
    for (const digest of [gone.digest, signature.digest])
      await bucket.delete(layout.revisionLink(app, digest));
    await bucket.delete(layout.currentLink(app, "with-manifest" as Tag));
    await bucket.delete(layout.currentLink(app, "alone" as Tag));
    await restartAdoption(skerry.registry.store);
    expect((await adopt(world)).counts).toMatchObject({ removed: 2, skipped: 0 });
    expect(await tagsOf(world, "app")).toEqual({ name: "app", tags: ["stays"] });
    for (const tag of ["with-manifest", "alone"]) {
      await expectStatus(skerry.ask(`GET /v2/app/manifests/${tag}`), 404);
    }
    const referrers = await skerry.ask(`GET /v2/app/referrers/${kept.digest}`);
    expect(await referrers.json()).toMatchObject({ manifests: [] });
  });

  it("keeps a tag that a request has set and not yet projected", async () => {
    const world = createWorld();
    await pushImage(world.skerry, "app", "1", "a");
    const { layout } = world.skerry.registry.store;
    const link = layout.currentLink(parseRepositoryName("app"), "1" as Tag);
    await world.r2.actor("slow request").delete(link);
    await restartAdoption(world.skerry.registry.store);
    expect((await adopt(world)).counts).toMatchObject({ removed: 0 });
    expect(await tagsOf(world, "app")).toEqual({ name: "app", tags: ["1"] });
  });
});
