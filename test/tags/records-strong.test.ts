import { describe, expect, it } from "vitest";
import { VirtualClock } from "../doubles/clock.ts";
import type { KvOptions } from "../doubles/kv-store.ts";
import { blobOf, pushImage, putManifest, type TestManifest } from "../support/content.ts";
import { createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { type Actor, type Dice, dice, runAtRandom } from "./random-run.ts";

const root = "docker/registry/v2/repositories/app/";
const decoder = new TextDecoder();

/** How KV may misbehave, each in its own way. */
const ways: Readonly<Record<string, (roll: () => number) => Omit<Partial<KvOptions>, "clock">>> = {
  "stale by up to a minute, misses too": () => ({ readerCache: 60_000 }),
  "losing every third write": (roll) => ({
    readerCache: 60_000,
    delay: () => (roll() < 1 / 3 ? Number.POSITIVE_INFINITY : 0),
  }),
  "landing writes late and out of order": (roll) => ({ readerCache: 60_000, delay: () => roll() * 120_000 }),
  "over its daily limit": () => ({ readerCache: 60_000, dailyWrites: 7 }),
};

/** What the tag names at this moment, and whether that lives. */
function registerNow({ r2 }: TestRegistry): { digest: string | undefined; isAlive: boolean } {
  const register = r2.store.read("get", `${root}_skerry/tags/t`);
  const { state, digest, generation } =
    register === undefined ? { state: "tombstone" } : JSON.parse(decoder.decode(register.bytes));
  if (state !== "live") return { digest: undefined, isAlive: false };
  const revision = r2.store.read("head", `${root}_manifests/revisions/${digest.replace(":", "/")}/link`);
  const { tombstone, generation: now } = revision?.customMetadata ?? { tombstone: "absent" };
  return { digest, isAlive: tombstone === undefined && now === generation };
}

/** Moves and deletes the tag, and the images that it may name. */
function writer(
  world: TestRegistry,
  name: string,
  images: readonly TestManifest[],
  { roll, pick }: Dice,
): Actor {
  const client = world.client(name);
  return {
    name,
    async send() {
      const image = pick(images);
      const draw = roll();
      const answer =
        draw < 0.6
          ? await putManifest(client, "app", "t", image)
          : await client.ask(`DELETE /v2/app/manifests/${draw < 0.8 ? "t" : image.digest}`);
      // No failure of KV is one of the request.
      expect([201, 202, 404]).toContain(answer.status);
    },
  };
}

/** Asks for the tag, and checks that the answer was true at some moment of the request. */
function reader(
  world: TestRegistry,
  name: string,
  history: readonly ReturnType<typeof registerNow>[],
  answers: Map<string, number>,
  { pick }: Dice,
): Actor {
  const client = world.client(name);
  return {
    name,
    async send() {
      const method = pick(["GET", "GET", "GET", "HEAD"]);
      const begin = history.length - 1;
      const answer = await client.fetch(`${method} /v2/app/manifests/t`);
      const truths = history.slice(begin);
      expect([200, 404]).toContain(answer.status);
      const digest = answer.headers.get("Docker-Content-Digest") ?? undefined;
      answers.set(`${method} ${answer.status}`, (answers.get(`${method} ${answer.status}`) ?? 0) + 1);
      if (answer.status === 404) {
        // Nothing, or a dead image, was named at some moment.
        expect(truths.some((truth) => !truth.isAlive)).toBe(true);
        return;
      }
      expect(truths.map((truth) => truth.digest)).toContain(digest);
      if (method === "GET") {
        expect((await blobOf(new Uint8Array(await answer.arrayBuffer()))).digest).toBe(digest);
      }
    },
  };
}

async function randomRun(seed: string, kv: (typeof ways)[string]) {
  const drawn = dice(seed);
  const world = createTestRegistry({ kv: kv(drawn.roll), clock: new VirtualClock({ automatic: true }) });
  const setup = world.client("setup");
  const images: TestManifest[] = [];
  for (const name of ["A", "B", "C"]) images.push(await pushImage(setup, "app", undefined, name));
  const history = [registerNow(world)];
  const answers = new Map<string, number>();
  await runAtRandom({
    world,
    dice: drawn,
    actors: [
      ...["writer 1", "writer 2"].map((name) => writer(world, name, images, drawn)),
      ...["reader 1", "reader 2", "reader 3", "reader 4"].map((name) =>
        reader(world, name, history, answers, drawn),
      ),
    ],
    requests: 120,
    kvFailures: 0.1,
    observe: () => void history.push(registerNow(world)),
  });
  return { answers, moves: new Set(history.map(({ digest }) => digest)).size };
}

describe.each(Object.entries(ways))(
  "readers in strong mode, with a KV %s and failing now and then",
  (_, kv) => {
    it("say what the register said at some moment of their request", { timeout: 60_000 }, async () => {
      const all = new Map<string, number>();
      for (let run = 0; run < 3; run++) {
        const { answers, moves } = await randomRun(`strong ${run}`, kv);
        expect(moves).toBeGreaterThan(2);
        for (const [answer, count] of answers) all.set(answer, (all.get(answer) ?? 0) + count);
      }
      // The runs have seen the tag, and seen it gone, both ways.
      expect([...all.keys()].toSorted()).toEqual(["GET 200", "GET 404", "HEAD 200", "HEAD 404"]);
    });
  },
);
