import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fixture, Fixtures } from "../../clients/fixtures/images.ts";
import { RegistryProbe } from "../../clients/harness/registry.ts";
import { type Server, startServer } from "../../clients/harness/server.ts";
import { startDistribution, treeBelow } from "../../interchange/distribution.ts";
import type { ChecksRun } from "../../interchange/run-checks.ts";
import { type EdgeSetup, variablesOf } from "../edge-entry.ts";
import { type FaultProxy, startFaultProxy } from "../fault-proxy.ts";
import { remoteOrigin } from "../origin.ts";

export interface World extends ChecksRun {
  readonly fixtures: Fixtures;
}

/** docker-registry behind a proxy. */
export interface Behind {
  /** As it is without the proxy. */
  readonly distribution: RegistryProbe;
  readonly proxy: FaultProxy;
  stop(): Promise<void>;
}

/** Starts docker-registry with an empty tree and a proxy before it. */
export async function startUpstream(world: World, name: string, htpasswd?: string): Promise<Behind> {
  const { processes, cleanup } = world;
  const dir = join(world.dir, name);
  await mkdir(dir);
  const server = await startDistribution({ processes, dir }, treeBelow(join(dir, "tree")), htpasswd);
  cleanup.add(() => server.stop());
  const proxy = await startFaultProxy(remoteOrigin(server.host));
  cleanup.add(() => proxy.kill());
  return { distribution: new RegistryProbe(server.host), proxy, stop: () => server.stop() };
}

/** Starts Skerry before upstreams; with a port, the one of that name that ended there. */
export async function startEdge(
  world: World,
  name: string,
  setup: EdgeSetup,
  port?: number,
): Promise<Server> {
  const state = join(world.dir, `${name}-state`);
  const server = await startServer(world.processes, state, variablesOf(setup), port);
  world.cleanup.add(() => server.stop());
  return server;
}

/** Who may ask a docker-registry that is closed to everybody else. */
export const account = { username: "edge", password: "p:ä% wörd" };

/** Writes the file that closes a docker-registry to all but `account`. @returns its path. */
export async function closedTo({ processes, dir }: World): Promise<string> {
  const path = join(dir, "htpasswd");
  await writeFile(path, await processes.run(["htpasswd", "-Bbn", account.username, account.password]));
  return path;
}

/** Pushes an image to docker-registry with everything that it refers to. */
export async function pushTo(
  { processes }: World,
  { distribution }: Behind,
  reference: string,
  fixture: Fixture | { readonly dir: string },
  ...options: readonly string[]
): Promise<void> {
  const from = "layout" in fixture ? `oci:${fixture.layout}:v1` : `dir:${fixture.dir}`;
  const target = `docker://${distribution.host}/${reference}`;
  await processes.run(["skopeo", "copy", "--all", "--dest-tls-verify=false", ...options, from, target]);
}

/** A request to Skerry, with its whole body. */
export async function ask(
  { host }: Server,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Buffer }> {
  const answer = await fetch(`http://${host}/v2/${path}`, { method, headers });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
}
