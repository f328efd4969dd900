import { beforeEach, expect, it, vi } from "vitest";
import type { Importer } from "../../src/imports/importer.ts";
import { readJob } from "../../src/imports/job.ts";
import { everyFault } from "../doubles/faults.ts";
import { immediate, type Policy } from "../doubles/gate.ts";
import { printOperation } from "../doubles/operation.ts";
import { expectStatus, indexOf, pushImage, putManifest } from "../support/content.ts";
import type { Client } from "../support/registry.ts";
import { keysOf } from "../upstream/unit/world.ts";
import {
  begin,
  createImportWorld,
  drive,
  pullWhole,
  pushUpstream,
  rangeSize,
  step,
  target,
  told,
} from "./world.ts";

/** Steps that are small, so that there are several. */
const small: Partial<Importer> = { allowance: { time: 20_000, requests: 3, operations: 900 } };
/** Milliseconds after which a step that is not heard of counts as dead. */
const lease = 30_000;

beforeEach(() => {
  // Each step that fails says so in the log.
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

async function prepare() {
  const world = createImportWorld();
  const pushed = await pushUpstream(world, { large: 2.5 * rangeSize });
  const index = await indexOf([pushed.image]);
  await expectStatus(putManifest(world.origin, "team/app", "all", index), 201);
  const id = await begin(world, "up/team/app:all");
  return { ...world, gate: world.edge.gate, pushed: { ...pushed, image: index }, id };
}

type Prepared = Awaited<ReturnType<typeof prepare>>;

/** Drives the import to its end, as often as a step's own record cannot be read or written. */
async function persist(client: Client, id: string): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    try {
      await drive(client, id, small);
      return;
    } catch {
      await client.registry.store.clock.sleep(lease);
    }
  }
  throw new Error("the import does not end");
}

async function expectWhole({ client, pushed, id, ...world }: Prepared, context: string): Promise<void> {
  const { state, blobs, bytes, digest, error } = await told(client, id);
  expect({ state, digest, error }, context).toEqual({ state: "done", digest: pushed.image.digest });
  expect([blobs.done, bytes.done], context).toEqual([blobs.known, bytes.known]);
  await pullWhole(client, target, "all", pushed);
  const keys = await keysOf({ ...world, client });
  expect(
    keys.filter((key) => key.includes("/_uploads/")),
    context,
  ).toEqual([]);
}

it("brings the image whatever operation fails, and whether or not it took effect", async () => {
  const runs = await everyFault({
    prepare,
    flow: ({ client, id }) => persist(client, id),
    async check({ world, operation, when, outcome }) {
      const context = `${when} ${operation}`;
      if (outcome.status === "rejected") throw new Error(context, { cause: outcome.reason });
      await expectWhole(world, context);
    },
  });
  expect(runs).toBeGreaterThan(100);
});

/** A policy under which an actor's operations wait, from the one with this number on, until they are let go. */
function holding(actor: string, from: number) {
  let count = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<string>();
  const policy: Policy = async ({ operation }) => {
    if (operation.actor !== actor) return undefined;
    if (count++ < from) return undefined;
    reached.resolve(printOperation(operation));
    await promise;
    return undefined;
  };
  return { policy, reached: reached.promise, letGo: () => resolve() };
}

/** For each operation of the first isolate: what becomes of the import when it stops there. */
async function atEveryOperation(
  check: (world: Prepared, letGo: () => Promise<void>, operation: string) => Promise<void>,
): Promise<number> {
  for (let at = 0; ; at++) {
    const world = await prepare();
    const held = holding("edge", at);
    world.gate.policy = held.policy;
    const stopped = persist(world.client, world.id);
    const operation = await Promise.race([held.reached, stopped.then(() => undefined)]);
    if (operation === undefined) return at;
    const letGo = async () => {
      held.letGo();
      await stopped;
      world.gate.policy = immediate;
    };
    await check(world, letGo, `${at}: ${operation}`);
  }
}

it("is gone on with by others wherever a step dies, once that counts as dead", async () => {
  const points = await atEveryOperation(async (world, _letGo, operation) => {
    const other = world.isolate();
    await other.registry.store.clock.sleep(lease);
    await persist(other, world.id);
    await expectWhole({ ...world, client: other }, operation);
  });
  expect(points).toBeGreaterThan(60);
});

it("sets no tag again that somebody removed while a step was thought dead, wherever it was", async () => {
  await atEveryOperation(async (world, letGo, operation) => {
    const other = world.isolate();
    await other.registry.store.clock.sleep(lease);
    await persist(other, world.id);
    await expectStatus(other.ask(`DELETE /v2/${target}/manifests/all`), 202);
    await letGo();
    const { status } = await other.ask(`HEAD /v2/${target}/manifests/all`);
    expect(status, operation).toBe(404);
  });
});

it("takes no tag back that somebody moved while a step was thought dead, wherever it was", async () => {
  await atEveryOperation(async (world, letGo, operation) => {
    const other = world.isolate();
    await other.registry.store.clock.sleep(lease);
    await persist(other, world.id);
    const moved = await pushImage(other, target, "all", "of somebody else");
    await letGo();
    const head = await expectStatus(other.ask(`HEAD /v2/${target}/manifests/all`), 200);
    expect(head.headers.get("Docker-Content-Digest"), operation).toBe(moved.digest);
    await pullWhole(other, target, world.pushed.image.digest, world.pushed);
  });
});

it("ends with its cancellation wherever a step is, and sets no tag unless it was about to", async () => {
  const ends = new Set<string>();
  await atEveryOperation(async (world, letGo, operation) => {
    const other = world.isolate();
    await expectStatus(other.ask(`DELETE /v2/${target}/_skerry/imports/${world.id}`), 204);
    const { state, expected } = (await readJob(other.registry.store, world.id))?.job ?? {};
    const isAboutTo = expected !== undefined;
    ends.add(`${state}${isAboutTo ? ", about to set the tag" : ""}`);
    await letGo();
    expect((await told(other, world.id)).state, operation).toBe(state);
    world.sent.length = 0;
    await step(other, world.id, small);
    expect(world.sent, operation).toEqual([]);
    if (!isAboutTo) await expectStatus(other.ask(`HEAD /v2/${target}/manifests/all`), 404);
  });
  expect([...ends].sort()).toEqual(["cancelled", "cancelled, about to set the tag"]);
});
