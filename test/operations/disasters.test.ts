import { describe, expect, it } from "vitest";
import { makeTokenKey } from "../../scripts/commands/key.ts";
import { readConfig } from "../../src/config.ts";
import { runAdoptStep } from "../../src/maintenance/adopt.ts";
import type { Finding } from "../../src/maintenance/check/finding.ts";
import { checkBucket } from "../../src/maintenance/check/run.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import type { Clock } from "../../src/storage/ports.ts";
import { basic, getToken, makeTestAccount } from "../auth/credentials.ts";
import {
  blobOf,
  closeUpload,
  expectStatus,
  imageOf,
  pushBlob,
  pushImage,
  putManifest,
} from "../support/content.ts";
import {
  authorized,
  type Client,
  createClient,
  createTestRegistry,
  type TestRegistry,
} from "../support/registry.ts";
import { copyBucket } from "./bucket-copy.ts";
import { type Pulled, pullEverything } from "./pull.ts";
import type { Copy } from "./recipe.ts";

const root = "docker/registry/v2";
const minute = 60_000;
const hour = 60 * minute;
const year = 365 * 24 * hour;

function broken(pulled: readonly Pulled[]): readonly string[] {
  return pulled.filter(({ missing }) => missing.length > 0).map(({ reference }) => reference);
}

async function check(client: Client, repair: boolean): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  await checkBucket(client.registry.store, { repair }, (finding) => findings.push(finding));
  return findings;
}

/** One pass of garbage collection by somebody whose clock is this one. */
async function collect(world: TestRegistry, clock: Clock): Promise<void> {
  const gc = createClient({ bucket: world.r2.actor("gc"), kv: world.kv.actor("gc"), clock });
  const policy = { grace: 24 * hour, keepTombstones: 48 * hour, uploadAge: 192 * hour };
  for (let phase = ""; phase !== "done"; ) {
    phase = (await runGcStep(gc.registry.store, { policy, operations: 100_000, every: 0 })).phase;
  }
}

/** The world's clock, wrong by so many milliseconds. */
function wrongBy(world: TestRegistry, error: number): Clock {
  return { now: () => world.clock.now() + error, sleep: (milliseconds) => world.clock.sleep(milliseconds) };
}

describe("KV is wiped", () => {
  it.each(["strong", "eventual"] as const)(
    "pulls go on, and bring the records back: %s",
    async (tagConsistency) => {
      const world = createTestRegistry({ config: { tagConsistency } });
      const client = world.client();
      for (const tag of ["1", "2", "3"]) await pushImage(client, "team/app", tag, tag);
      const before = await pullEverything(client);
      const records = ["1", "2", "3"].map((tag) => `${tagConsistency}:team/app:${tag}`);
      for (const key of records) await world.kv.actor("vandal").delete(key);
      world.clock.advance(10 * minute);

      expect(await pullEverything(client)).toEqual(before);
      expect(broken(before)).toEqual([]);
      for (const key of records) expect(world.kv.store.current(key)).toBeDefined();
    },
  );

  it("or of another time, as after a restore: strong pulls are right, and the records follow", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const old = await pushImage(client, "team/app", "1", "old");
    const record = world.kv.store.current("strong:team/app:1");
    const now = await pushImage(client, "team/app", "1", "now");
    const metadata = JSON.parse(record?.metadata ?? "");
    await world.kv.actor("vandal").put("strong:team/app:1", record?.bytes ?? "", { metadata });
    expect(metadata.digest).toBe(old.digest);
    world.clock.advance(10 * minute);
    const answer = await expectStatus(client.ask("GET /v2/team/app/manifests/1"), 200);
    expect(answer.headers.get("Docker-Content-Digest")).toBe(now.digest);
    expect(JSON.parse(world.kv.store.current("strong:team/app:1")?.metadata ?? "").digest).toBe(now.digest);
  });
});

describe("half a restore", () => {
  /** A registry of three images of which something is gone. */
  async function without(lost: RegExp): Promise<TestRegistry> {
    const world = createTestRegistry();
    for (const name of ["a", "b", "c"]) await pushImage(world.client(), name, "1", name);
    const vandal = world.r2.actor("vandal");
    const { objects } = await vandal.list({ prefix: root });
    const keys = objects.map(({ key }) => key).filter((key) => lost.test(key));
    expect(keys.length).toBeGreaterThan(0);
    await vandal.delete(keys);
    world.clock.advance(10 * minute);
    return world;
  }

  it("some bytes are missing: check names them, the rest is served, and a push heals", async () => {
    const { digest } = await blobOf("layer of b");
    const world = await without(new RegExp(`/blobs/sha256/../${digest.slice(7)}/`));
    const client = world.client();
    expect(broken(await pullEverything(client))).toEqual(["b:1"]);
    expect(await check(client, true)).toMatchObject([
      { kind: "link without data", name: "b", digest, repaired: true },
      { kind: "missing reference", name: "b", reference: digest, repaired: false },
    ]);
    // A client that is told that the layer is there would not push it again.
    await expectStatus(client.ask(`HEAD /v2/b/blobs/${digest}`), 404);
    await pushImage(client, "b", "1", "b");
    expect(broken(await pullEverything(client))).toEqual([]);
    expect(await check(client, false)).toEqual([]);
  });

  it("the claims are missing: check puts them before garbage collection looks", async () => {
    const world = await without(/\/skerry\/owners\//);
    const found = await check(world.client(), true);
    expect(new Set(found.map(({ kind, repaired }) => `${kind} ${repaired}`))).toEqual(
      new Set(["missing claim true"]),
    );
    const before = await pullEverything(world.client());
    for (let day = 0; day < 4; day++) {
      await collect(world, world.clock);
      world.clock.advance(25 * hour);
    }
    expect(await pullEverything(world.client())).toEqual(before);
    expect(broken(before)).toEqual([]);
  });

  it("the tags are missing: their images are served by digest, and take tags again", async () => {
    const world = await without(/\/_skerry\/tags\/|\/_manifests\/tags\//);
    const client = world.client();
    const config = await blobOf('{"seed":"a"}');
    const image = await imageOf(config, [await blobOf("layer of a")]);
    await expectStatus(client.ask(`GET /v2/a/manifests/${image.digest}`), 200);
    await expectStatus(client.ask("GET /v2/a/manifests/1"), 404);
    await expectStatus(putManifest(client, "a", "1", image), 201);
    expect(broken(await pullEverything(client))).toEqual([]);
  });

  it.each([
    ["everything else is there", () => true],
    [
      "so is what Skerry keeps for itself",
      (path: string) => !path.includes("/_skerry/") && !path.startsWith("skerry/"),
    ],
  ])("the metadata is missing, %s: images are served, and the bucket is adopted", async (_, takes) => {
    const world = createTestRegistry();
    for (const name of ["a", "b", "c"]) await pushImage(world.client(), name, "1", name);
    const gone = await pushImage(world.client(), "a", "gone", "deleted");
    await expectStatus(world.client().ask(`DELETE /v2/a/manifests/${gone.digest}`), 202);
    const before = await pullEverything(world.client());
    expect(before).toHaveLength(3);
    const restored = createTestRegistry();
    restored.clock.advance(hour);
    const bare: Copy = { from: "$FROM", to: "$TO", takes, metadata: false, ignoreExisting: false };
    await copyBucket(world.r2.actor("copy"), restored.r2.actor("copy"), [bare], { FROM: root, TO: root });
    const client = restored.client();
    for (let done = false; !done; ) done = (await runAdoptStep(client.registry.store, 1000)).done;
    expect((await check(client, true)).filter(({ repaired }) => !repaired)).toEqual([]);
    expect(await pullEverything(client)).toEqual(before);
    await expectStatus(client.ask(`GET /v2/a/manifests/${gone.digest}`), 404);
  });
});

describe("a clock is wrong", () => {
  it.each([year, -year])(
    "garbage collection, off by %d ms, takes nothing that a manifest needs",
    async (error) => {
      const world = createTestRegistry();
      const client = world.client();
      for (const tag of ["1", "2"]) await pushImage(client, "team/app", tag, tag);
      // A push that is going on: its layer was seen unreferenced, and the clock jumps before its manifest comes.
      const config = await blobOf("{}");
      const layer = await blobOf("not yet referred to");
      for (const blob of [config, layer]) await expectStatus(pushBlob(client, "team/app", blob), 201);
      await collect(world, world.clock);
      world.clock.advance(hour);
      for (let pass = 0; pass < 3; pass++) await collect(world, wrongBy(world, error));
      await collect(world, world.clock);
      expect(broken(await pullEverything(client))).toEqual([]);

      // The push may be told to upload its layer again, and then gets through.
      const image = await imageOf(config, [layer]);
      const { status } = await putManifest(client, "team/app", "3", image);
      expect([201, 400]).toContain(status);
      if (status === 400) {
        for (const blob of [config, layer]) await expectStatus(pushBlob(client, "team/app", blob), 201);
        await expectStatus(putManifest(client, "team/app", "3", image), 201);
      }
      for (let day = 0; day < 4; day++) {
        await collect(world, world.clock);
        world.clock.advance(25 * hour);
      }
      const pulled = await pullEverything(client);
      expect(pulled).toHaveLength(3);
      expect(broken(pulled)).toEqual([]);
    },
  );

  it("a collector that announced itself a year ahead and died keeps nobody waiting", async () => {
    const world = createTestRegistry();
    const client = world.client();
    await client.registry.store.bucket.put(client.registry.store.layout.guard(), "{}", {
      customMetadata: { state: "sweeping", at: String(world.clock.now() + year) },
    });
    await pushImage(client, "team/app", "1", "one");
    await collect(world, world.clock);
    expect(broken(await pullEverything(client))).toEqual([]);
  });
});

describe("a secret is lost", () => {
  it("ACCOUNTS: a new one lets its accounts in, nobody else, and robots stay", async () => {
    const lost = await makeTestAccount("root", { admin: true });
    const fresh = await makeTestAccount("root", { admin: true });
    const config = (account: object) => ({
      ...readConfig({ ACCOUNTS: JSON.stringify([account]) }),
      uploadKey: undefined,
    });
    const world = createTestRegistry();
    const before = authorized(world.client("a", config(lost.entry)), basic(lost));
    const issued = await before.ask("POST /v2/_skerry/accounts", {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: "robot-ci", grants: { "team/*": "pull,push" } }),
    });
    const robot = await issued.json<{ name: string; key: string }>();

    const stranger = world.client("b", config(fresh.entry));
    const ask = (account: { name: string; key: string }) =>
      authorized(stranger, basic(account)).ask("POST /v2/team/app/blobs/uploads/");
    await expectStatus(ask(lost), 401);
    await expectStatus(ask(fresh), 202);
    await expectStatus(ask(robot), 202);
  });

  it("TOKEN_KEY: tokens of the old one are refused, and every client gets new ones by itself", async () => {
    const account = await makeTestAccount("ci", { grants: { "team/*": "pull,push" } });
    const world = createTestRegistry();
    const client = async (name: string) =>
      world.client(
        name,
        readConfig({ ACCOUNTS: JSON.stringify([account.entry]), TOKEN_KEY: await makeTokenKey() }),
      );
    const before = await client("before");
    const token = await getToken(before, ["repository:team/app:pull,push"], basic(account));
    const push = (registry: Client, bearer: string) =>
      authorized(registry, `Bearer ${bearer}`).ask("POST /v2/team/app/blobs/uploads/");
    await expectStatus(push(before, token), 202);
    const after = await client("after");
    await expectStatus(push(after, token), 401);
    const renewed = await getToken(after, ["repository:team/app:pull,push"], basic(account));
    await expectStatus(push(after, renewed), 202);
  });

  it("the key of uploads: unfinished ones are told to begin anew", async () => {
    const world = createTestRegistry({ config: { uploadKey: undefined } });
    const begun = await world.client("a").ask("POST /v2/app/blobs/uploads/");
    const { store } = world.client().registry;
    await world.r2.actor("vandal").delete(store.layout.uploadKey());
    const blob = await blobOf("a blob");
    const client = world.client("another isolate");
    const answer = await expectStatus(closeUpload(client, begun, blob.digest, blob.bytes), 404);
    expect(await answer.text()).toContain("BLOB_UPLOAD_UNKNOWN");
    await expectStatus(pushBlob(client, "app", blob), 201);
  });
});
