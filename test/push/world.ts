import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { Memory } from "../../scripts/push/memory.ts";
import { type Display, lineDisplay } from "../../scripts/push/progress.ts";
import type { Credentials } from "../../scripts/push/registry/credentials.ts";
import { parseImageReference, registryUrl } from "../../scripts/push/registry/reference.ts";
import { Registry } from "../../scripts/push/registry/registry.ts";
import { Repository } from "../../scripts/push/registry/repository.ts";
import { openSource } from "../../scripts/push/source/open.ts";
import { type Transferred, transfer } from "../../scripts/push/transfer.ts";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { type FaultProxy, startFaultProxy } from "../upstream/fault-proxy.ts";
import { remoteOrigin } from "../upstream/origin.ts";
import { useRegistry, type Variables } from "../wire/registry.ts";

/** Somebody who pushes, and a registry, with a proxy between them. */
export interface World {
  /** A repository that no other test has. */
  readonly name: string;
  /** Seeds from here on to a hundred further are of content that no other test has. */
  readonly seed: number;
  /** A folder that is removed after the test. */
  readonly dir: string;
  readonly proxy: FaultProxy;
  readonly probe: RegistryProbe;
  /** What the display was told. */
  readonly lines: readonly string[];
  readonly display: Display;
  /** The waits between attempts, in milliseconds; nobody waits. */
  readonly waits: readonly number[];
  memory(): Promise<Memory>;
  /** A repository of the registry, as a process of its own asks it. */
  repository(name: string, options?: PusherOptions): Repository;
  push(image: string, to: string, options?: PushOptions): Promise<Transferred>;
  /** Methods and paths that the registry was asked, sessions and states left out. */
  asked(): readonly string[];
}

export interface PusherOptions {
  /** `host:port` of another registry than the world's. */
  readonly host?: string;
  readonly credentials?: Credentials;
  readonly attempts?: number;
}

export interface PushOptions extends PusherOptions {
  readonly name?: string;
  readonly platform?: string;
  readonly uncompressed?: boolean;
  readonly chunkSize?: number;
  readonly mountFrom?: Repository["name"][];
}

/** What the registry announces, in bytes. */
const variables = { CHUNK_MIN_LENGTH: "1000", CHUNK_MAX_LENGTH: "1048576", TRUST_PROXY: "true" };

/** A world for each test of a file, before one registry. */
export function useWorld(vars: Variables | (() => Promise<Variables>) = {}): () => World {
  const registry = useRegistry(async () => ({
    ...variables,
    ...(typeof vars === "function" ? await vars() : vars),
  }));
  let world: World | undefined;
  let count = 0;
  beforeEach(async () => {
    world = await createWorld(`127.0.0.1:${registry().port}`, ++count);
  });
  afterEach(async () => {
    await world?.proxy.kill();
    if (world !== undefined) await rm(world.dir, { recursive: true });
  });
  return () => {
    if (world === undefined) throw new Error("there is no world before the test");
    return world;
  };
}

async function createWorld(registry: string, number: number): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), "skerry-push-"));
  const proxy = await startFaultProxy(remoteOrigin(registry));
  const host = `127.0.0.1:${proxy.port}`;
  const lines: string[] = [];
  const waits: number[] = [];
  const display = lineDisplay((line) => lines.push(line));
  const memory = () =>
    Memory.open({ XDG_STATE_HOME: join(dir, "state"), XDG_CACHE_HOME: join(dir, "cache"), HOME: dir });
  const repository: World["repository"] = (name, { credentials, attempts = 5, host: at = host } = {}) =>
    new Repository(
      new Registry({
        url: registryUrl(at, undefined),
        credentials: async () => credentials,
        retries: {
          attempts,
          sleep: async (milliseconds) => void waits.push(milliseconds),
          random: () => 1,
          report: (failure) => lines.push(failure.message),
        },
      }),
      parseImageReference(`${host}/${name}`).name,
      "pull,push",
    );
  return {
    name: `team-${number}/app`,
    seed: number * 100,
    dir,
    proxy,
    probe: new RegistryProbe(host),
    lines,
    display,
    waits,
    memory,
    repository,
    async push(image, to, options = {}) {
      const reference = parseImageReference(`${options.host ?? host}/${to}`);
      const { name, platform, uncompressed = false, chunkSize = 100_000, mountFrom = [] } = options;
      const store = await memory();
      const source = await openSource(image, {
        name,
        platform,
        uncompressed,
        memory: store,
        tell: display.line,
      });
      const target = repository(reference.name, options);
      try {
        return await transfer(source, {
          target,
          reference,
          mountFrom,
          parallel: 3,
          chunkSize,
          memory: store,
          display,
        });
      } finally {
        await source.close();
      }
    },
    asked: () =>
      proxy.seen.map(({ method, path }) => `${method} ${path.replace(/(uploads\/)[0-9a-f-]{36}.*/, "$1…")}`),
  };
}
