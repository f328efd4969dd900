import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { arch, cpus, loadavg, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Client, type Credentials } from "../scripts/registry-client.ts";
import { Processes } from "../test/clients/harness/processes.ts";
import { type Case, cases, type Prepare, type Subject } from "./cases.ts";
import { type Comparison, type Result, summarize, table } from "./support/comparison.ts";
import { plot } from "./support/plot.ts";
import { type Round, runRound } from "./support/round.ts";
import { hasDistribution, startDistribution, startSkerry } from "./support/servers.ts";

const usage = `npm run bench -- [options]    Compare registries under the same loads, in alternation.

  --only REGEX         run the loads whose names match
  --rounds N           rounds of every load (5)
  --seconds N          no operation of a round begins after so many seconds (10)
  --tags N             tags of the repository with many (10000)
  --registry URL       a registry to compare with, instead of Debian's docker-registry on this machine;
                       its repositories begin with skerry-bench/ and are not removed
  --credentials N:P    name and password for that registry, else the variable BENCH_CREDENTIALS
  --out DIR            where bench.json, bench.md and bench.svg go (results/bench)
  --help               this text`;

interface Registry {
  readonly name: string;
  readonly client: Client;
  readonly credentials: Credentials | undefined;
  /** Process id, if it runs on this machine. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

interface Options {
  readonly only: RegExp;
  readonly rounds: number;
  readonly seconds: number;
  readonly tags: number;
  readonly registry: string | undefined;
  readonly credentials: Credentials | undefined;
  readonly out: string;
}

function parseOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "10" },
      tags: { type: "string", default: "10000" },
      registry: { type: "string" },
      credentials: { type: "string", default: process.env.BENCH_CREDENTIALS ?? "" },
      out: { type: "string", default: "results/bench" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const [, name, password] = /^([^:]+):(.*)$/.exec(values.credentials) ?? [];
  return {
    only: new RegExp(values.only, "i"),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    tags: Number(values.tags),
    registry: values.registry,
    credentials: name === undefined || password === undefined ? undefined : { name, password },
    out: resolve(values.out),
  };
}

/** The registries to compare: Skerry first. */
async function start(processes: Processes, dir: string, options: Options): Promise<readonly Registry[]> {
  const local = async (name: string, run: typeof startSkerry): Promise<Registry> => {
    const state = join(dir, name);
    await mkdir(state);
    const { origin, pid, stop } = await run(processes, state);
    return { name, client: new Client(origin), credentials: undefined, pid, stop };
  };
  const skerry = await local("Skerry", startSkerry);
  if (options.registry !== undefined) {
    const { origin, host } = new URL(options.registry);
    const client = new Client(origin, options.credentials);
    return [
      skerry,
      { name: host, client, credentials: options.credentials, pid: undefined, stop: async () => undefined },
    ];
  }
  if (await hasDistribution()) return [skerry, await local("distribution", startDistribution)];
  console.log("docker-registry is not installed: Skerry runs alone");
  return [skerry];
}

/** All registries take turns with a load; the one that begins changes with each round. */
async function compare(
  of: Case,
  registries: readonly Registry[],
  subject: (registry: Registry) => Subject,
  { rounds, seconds }: Options,
): Promise<Comparison> {
  const runs = registries.map((registry) => ({ registry, rounds: [] as Round[], error: "" }));
  const prepared = new Map<Registry, Prepare>();
  for (let round = 0; round < rounds; round++) {
    const first = round % runs.length;
    for (const run of [...runs.slice(first), ...runs.slice(0, first)]) {
      if (run.error !== "") continue;
      try {
        const prepare = prepared.get(run.registry) ?? (await of.open(subject(run.registry)));
        prepared.set(run.registry, prepare);
        const operations = await prepare(of.operations);
        run.rounds.push(await runRound(operations, of.width, seconds, run.registry.pid));
      } catch (error) {
        run.error = error instanceof Error ? error.message : String(error);
        console.error(`${of.name}, ${run.registry.name}: ${run.error}`);
      }
    }
  }
  const results = runs.map(
    (run): Result => ({
      registry: run.registry.name,
      rounds: run.rounds,
      ...(run.error !== "" && { error: run.error }),
    }),
  );
  return { of, results };
}

async function write(comparisons: readonly Comparison[], out: string): Promise<void> {
  const foreign = comparisons.flatMap(({ results }) =>
    results.flatMap(({ rounds }) => rounds.map((round) => round.foreign)),
  );
  const machine = {
    at: new Date().toISOString(),
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    kernel: `${release()} ${arch()}`,
    node: process.version,
    load: loadavg(),
    /** Share of the machine's CPU that other programs used during a round: middle and most. */
    foreign: { median: foreign.toSorted((a, b) => a - b)[foreign.length >> 1], most: Math.max(...foreign) },
  };
  const loads = comparisons.map(({ of: { name, width, bytes }, results }) => ({
    name,
    width,
    bytes,
    results: results.map((result) => ({ ...result, summary: summarize(result.rounds) })),
  }));
  await mkdir(out, { recursive: true });
  await writeFile(join(out, "bench.json"), `${JSON.stringify({ machine, loads }, null, 2)}\n`);
  await writeFile(join(out, "bench.md"), `${table(comparisons)}\n`);
  await writeFile(join(out, "bench.svg"), plot(comparisons));
  console.log(`\n${table(comparisons)}\n\n${JSON.stringify(machine)}`);
}

async function main(options: Options): Promise<void> {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
  }
  const processes = new Processes(interruption.signal);
  const dir = await mkdtemp(join(tmpdir(), "skerry-bench-"));
  let registries: readonly Registry[] = [];
  try {
    registries = await start(processes, dir, options);
    const prefix = `skerry-bench/${randomBytes(4).toString("hex")}`;
    const comparisons: Comparison[] = [];
    for (const of of cases.filter(({ name }) => options.only.test(name))) {
      const subject = ({ client, credentials }: Registry): Subject => {
        return { client, credentials, prefix, processes, dir, tags: options.tags };
      };
      comparisons.push(await compare(of, registries, subject, options));
      console.log(`${of.name}: done`);
      interruption.signal.throwIfAborted();
    }
    await write(comparisons, options.out);
  } finally {
    for (const { client, stop } of registries) {
      client.close();
      await stop();
    }
    await rm(dir, { recursive: true, force: true });
  }
}

const options = parseOptions();
if (options === undefined) console.log(usage);
else await main(options);
