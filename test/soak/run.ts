import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { withStore } from "../../scripts/commands/local-store.ts";
import { startLocalRegistry } from "../../scripts/local-registry.ts";
import type { GcPolicy } from "../../src/maintenance/gc/collector.ts";
import type { GcReport } from "../../src/maintenance/gc/report.ts";
import type { GcState, GcStep } from "../../src/maintenance/gc/run.ts";
import { objects } from "../../src/maintenance/pages.ts";
import { SoakClient } from "./client.ts";
import { differences } from "./expected.ts";
import { Lane } from "./lane.ts";

const usage = `npm run soak -- [options]    Push, tag, delete and mount while garbage is collected.

  --seconds N    how long (180, at most 1800)
  --lanes N      clients (6, at most 32)
  --grace N      milliseconds of grace (0)
  --help         this text`;

/** Longer than an upload of the soak takes, in milliseconds. */
const uploadAge = 20_000;
/** Milliseconds between two passes: two of them take what a push has not referred to yet, and pushes must end. */
const betweenPasses = 500;
/** Passes after the soak, in which all that nobody needs must go: a mark, links, a record of the data, the data. */
const lastPasses = 8;
const config = join(import.meta.dirname, "wrangler.toml");

function bounded(text: string, most: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > most)
    throw new Error(`${text}: 0 to ${most} expected`);
  return number;
}

/** Runs passes, and sums up what they took. */
class Collecting {
  readonly taken: Record<string, number> = {};
  readonly notes = new Set<string>();
  passes = 0;
  readonly #url: string;
  readonly #step: GcStep;

  constructor(origin: string, grace: number) {
    const policy: GcPolicy = { grace, keepTombstones: grace, uploadAge };
    this.#url = `${origin}/collect`;
    this.#step = { policy, operations: 900, every: 0 };
  }

  async pass(): Promise<void> {
    for (;;) {
      const response = await fetch(this.#url, { method: "POST", body: JSON.stringify(this.#step) });
      if (!response.ok) throw new Error(`a step failed: ${response.status} ${await response.text()}`);
      const { phase, report } = (await response.json()) as GcState;
      if (phase === "done") return this.#add(report);
    }
  }

  #add({ counts, notes }: GcReport): void {
    this.passes++;
    for (const note of notes) this.notes.add(note);
    for (const [what, count] of Object.entries(counts)) this.taken[what] = (this.taken[what] ?? 0) + count;
  }
}

async function soak(options: {
  readonly seconds: number;
  readonly lanes: number;
  readonly grace: number;
  readonly persistTo: string;
}): Promise<readonly string[]> {
  const { persistTo } = options;
  const registry = await startLocalRegistry({ config, persistTo });
  const client = new SoakClient(registry.origin);
  const lanes = Array.from({ length: options.lanes }, (_, index) => new Lane(client, `lane-${index}`));
  const complaints: string[] = [];
  try {
    const collecting = new Collecting(registry.origin, options.grace);
    const end = Date.now() + options.seconds * 1000;
    const collector = async () => {
      while (Date.now() < end) {
        await collecting.pass();
        await pause(betweenPasses);
      }
    };
    await Promise.all([collector(), ...lanes.map((lane) => lane.runUntil(end))]);
    console.log("done", sum(lanes.map(({ done }) => done)));
    console.log("answers", Object.fromEntries([...client.answers].toSorted()));
    console.log(`${collecting.passes} passes took`, collecting.taken, [...collecting.notes]);

    await pause(uploadAge + options.grace);
    for (let pass = 0; pass < lastPasses; pass++) {
      await collecting.pass();
      await pause(options.grace);
    }
    let verified = 0;
    for (const lane of lanes) {
      complaints.push(...lane.complaints);
      for (const image of lane.images.values()) {
        complaints.push(...(await lane.verify(image, image.digest)));
        verified++;
      }
      for (const [key, image] of lane.tags) {
        complaints.push(...(await lane.verify(image, key.split(" ")[1] ?? "")));
        verified++;
      }
      for (const { repository, digest } of lane.deleted) {
        const status = await client.status("GET", `/v2/${repository}/manifests/${digest}`);
        if (status !== 404) complaints.push(`${repository}@${digest}: deleted, and answered ${status}`);
      }
    }
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
  return [...complaints, ...differences(lanes, keys)];
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
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usage);
  const persistTo = await mkdtemp(join(tmpdir(), "skerry-soak-"));
  try {
    const complaints = await soak({
      seconds: bounded(values.seconds, 1800),
      lanes: bounded(values.lanes, 32),
      grace: bounded(values.grace, 60_000),
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
