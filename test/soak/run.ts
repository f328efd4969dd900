import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { withStore } from "../../scripts/commands/local-store.ts";
import { startLocalRegistry } from "../../scripts/local-registry.ts";
import { objects } from "../../src/maintenance/pages.ts";
import { SoakClient } from "./client.ts";
import { differences } from "./expected.ts";
import { Lane } from "./lane.ts";
import { Passes } from "./passes.ts";
import { faults, isFault, tombstoneAge, untaggedAge, variables } from "./rules.ts";

const usage = `npm run soak -- [options]    Push, tag, delete, restore and mount while garbage is collected by rules.

  --seconds N    how long (180, at most 1800)
  --lanes N      clients (6, at most 32)
  --grace N      milliseconds of grace (0)
  --fault NAME   tells the registry another rule than the clients know, and so must fail: ${Object.keys(faults).join(", ")}
  --help         this text`;

/** Longer than an upload of the soak takes, in milliseconds. */
const uploadAge = 20_000;
/** Milliseconds between two passes: two of them take what a push has not referred to yet, and pushes must end. */
const betweenPasses = 500;
/** Passes after tags and images went, in which all else that nobody needs must go: a mark, links, a record of the data, the data. */
const lastPasses = 8;
const config = join(import.meta.dirname, "wrangler.toml");

function bounded(text: string, most: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > most)
    throw new Error(`${text}: 0 to ${most} expected`);
  return number;
}

async function soak(options: {
  readonly seconds: number;
  readonly lanes: number;
  readonly grace: number;
  readonly fault: keyof typeof faults | undefined;
  readonly persistTo: string;
}): Promise<readonly string[]> {
  const { persistTo, grace } = options;
  const names = Array.from({ length: options.lanes }, (_, index) => `lane-${index}`);
  // What the bucket has lost must not be answered from a copy.
  const vars = { ...variables(names, options.fault), CACHE_TTL: "0" };
  const registry = await startLocalRegistry({ config, persistTo, vars });
  const client = new SoakClient(registry.origin);
  const passes = new Passes(registry.origin, { grace, keepTombstones: tombstoneAge, uploadAge });
  const lanes = names.map((name) => new Lane(client, passes, name, grace));
  try {
    const end = Date.now() + options.seconds * 1000;
    const collector = async () => {
      while (Date.now() < end) {
        await passes.run();
        await pause(betweenPasses);
      }
    };
    await Promise.all([collector(), ...lanes.map((lane) => lane.runUntil(end))]);
    console.log("done", sum(lanes.map(({ done }) => done)));
    console.log("answers", Object.fromEntries([...client.answers].toSorted()));
    console.log(`${passes.count} passes took`, passes.taken, [...passes.notes]);

    await Promise.all(lanes.map((lane) => lane.pushOfEachKind()));
    await passes.run();
    await pause(untaggedAge / 4);
    await passes.run();
    for (const lane of lanes) await lane.pullWaiting();
    await pause(uploadAge + grace);
    await passes.run();
    // What retention took of the tags decides what it takes of the images, and that what of their signatures.
    for (const wait of [untaggedAge, 0, untaggedAge, tombstoneAge]) {
      for (const lane of lanes) await lane.resolve();
      await passes.run();
      await pause(wait + grace);
    }
    for (let pass = 0; pass < lastPasses; pass++) {
      await passes.run();
      await pause(grace);
    }
    let verified = 0;
    for (const lane of lanes) verified += await lane.verifyAll();
    console.log(`${verified} images and tags pulled`);
  } finally {
    await registry.stop();
  }
  const keys = await withStore({ config, "persist-to": persistTo }, async (store) => {
    const found: string[] = [];
    for await (const { key } of objects(store, "")) found.push(key);
    return found;
  });
  console.log(`${keys.length} keys in the bucket`);
  const holdings = lanes.flatMap((lane) => lane.holdings);
  return [...lanes.flatMap(({ complaints }) => complaints), ...differences(holdings, keys)];
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function sum(counts: readonly ReadonlyMap<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [what, count] of counts.flatMap((each) => [...each])) total[what] = (total[what] ?? 0) + count;
  return total;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "180" },
      lanes: { type: "string", default: "6" },
      grace: { type: "string", default: "0" },
      fault: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usage);
  const { fault } = values;
  if (fault !== undefined && !isFault(fault)) throw new Error(`${fault}: no such fault`);
  const persistTo = await mkdtemp(join(tmpdir(), "skerry-soak-"));
  try {
    const complaints = await soak({
      seconds: bounded(values.seconds, 1800),
      lanes: bounded(values.lanes, 32),
      grace: bounded(values.grace, 60_000),
      fault,
      persistTo,
    });
    for (const complaint of complaints) console.log(complaint);
    console.log(complaints.length === 0 ? "nothing is missing, nothing is left over" : "the soak failed");
    if (complaints.length > 0) process.exitCode = 1;
  } finally {
    await rm(persistTo, { recursive: true, force: true });
  }
}

await main();
