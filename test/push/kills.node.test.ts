import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Progress, startProxy } from "../clients/harness/proxy.ts";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { useRegistry } from "../wire/registry.ts";
import { type CliOutcome, startCli } from "./cli.ts";
import { dockerArchive, filesBelow, layerTar, put, tarOf, writeIndexLayout } from "./images.ts";

const registry = useRegistry({ CHUNK_MIN_LENGTH: "1000" });
/** A file that seeds the kills, for another run of them: `KILL_SEED=7 npx vitest run test/push/kills`. */
const seed = Number(process.env.KILL_SEED ?? 1);
const chunk = 200_000;
const layers = [1_500_000, 900_000, 700_000];
const size = 3_100_000;
const parallel = 2;

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "skerry-kills-"));
});

afterEach(() => rm(dir, { recursive: true }));

/** The same numbers from 0 to `below` for the same seed. */
function numbers(count: number, below: number, salt: number): readonly number[] {
  let state = (seed * 7919 + salt) >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  });
}

interface KilledPush {
  readonly outcome: CliOutcome;
  /** Runs that were killed before they had ended. */
  readonly kills: number;
  /** Bytes of request bodies, of all runs together. */
  readonly sent: number;
}

/** Pushes again and again, each time killed as soon as `isEnough` says so of what passed in that run, until one ends. */
async function pushKilled(
  image: string,
  name: string,
  ends: readonly ((passed: Progress) => boolean)[],
): Promise<KilledPush> {
  let before: Progress = { requests: 0, sent: 0, received: 0 };
  let now = before;
  let onProgress = () => {};
  const proxy = await startProxy(`127.0.0.1:${registry().port}`, {
    onProgress: (progress) => {
      now = progress;
      onProgress();
    },
  });
  const args = ["push", image, `${proxy.host}/${name}:1`, `--chunk-size=${chunk}`, `--parallel=${parallel}`];
  let kills = 0;
  try {
    for (let turn = 0; ; turn++) {
      before = now;
      const run = startCli(args, dir);
      const isEnough = ends[turn];
      onProgress = () => {
        const passed = {
          requests: now.requests - before.requests,
          sent: now.sent - before.sent,
          received: now.received - before.received,
        };
        if (isEnough?.(passed)) run.kill();
      };
      const outcome = await run.ended;
      if (outcome.status !== null) return { outcome, kills, sent: now.sent };
      kills++;
    }
  } finally {
    await proxy.close();
  }
}

describe("a push that is killed", () => {
  it("after any number of bytes goes on, and sends each layer's chunk under way again at most", async () => {
    const digest = await writeIndexLayout(join(dir, "layout"), seed * 10, layers);
    const ends = numbers(4, size / 4, 1).map((bytes) => (passed: Progress) => passed.sent >= bytes);
    const { outcome, kills, sent } = await pushKilled(join(dir, "layout"), "kills/bytes", ends);
    expect(outcome).toMatchObject({ status: 0 });
    expect(kills).toBe(4);
    const manifests = 10_000;
    expect(sent).toBeLessThan(size + kills * parallel * chunk + manifests);
    await new RegistryProbe(`127.0.0.1:${registry().port}`).verify("kills/bytes", "1", digest);
    expect(await readdir(join(dir, "state", "skerry", "uploads"))).toEqual([]);
  });

  it("at any request goes on, from an archive whose layers it compresses", async () => {
    const tars = await Promise.all(layers.map((bytes, index) => layerTar(seed * 10 + 5 + index, bytes)));
    const image = await put(dir, "app.tar", await tarOf(dockerArchive(tars)));
    const ends = numbers(4, 12, 2).map((requests) => (passed: Progress) => passed.requests > requests);
    const { outcome, kills, sent } = await pushKilled(image, "kills/requests", ends);
    expect(outcome).toMatchObject({ status: 0 });
    expect(kills).toBeGreaterThan(1);
    expect(sent).toBeLessThan(size + kills * parallel * chunk + 100_000);
    await new RegistryProbe(`127.0.0.1:${registry().port}`).verify("kills/requests", "1");
    expect(await readdir(join(dir, "cache", "skerry", "layers"))).toEqual([]);
  });
});

it("pushes what comes through a pipe", async () => {
  const digest = await writeIndexLayout(join(dir, "layout"), seed * 10 + 8, [5000, 400]);
  const host = `127.0.0.1:${registry().port}`;
  const tar = await tarOf(await filesBelow(join(dir, "layout")));
  const run = startCli(["push", "-", `${host}/kills/pipe:1`], dir, tar);
  expect(await run.ended).toMatchObject({ status: 0, stdout: `${host}/kills/pipe:1@${digest}\n` });
  await new RegistryProbe(host).verify("kills/pipe", "1", digest);
});

describe("the exit status", () => {
  it.each([
    ["2 for wrong arguments", ["push", "only-one"], 2, "push IMAGE REFERENCE expected"],
    ["2 for a value that is none", ["push", "a", "localhost:1/b", "--parallel=many"], 2, "--parallel many"],
    [
      "1 for what cannot be done",
      ["push", "./nothing", "localhost:1/b"],
      1,
      "there is no file or folder ./nothing",
    ],
  ])("is %s", async (_, args, status, message) => {
    const outcome = await startCli(args, dir).ended;
    expect(outcome).toMatchObject({ status, stdout: "" });
    expect(outcome.stderr).toContain(message);
  });
});
