import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../src/config.ts";
import worker from "../../src/index.ts";
import { MessageDouble } from "../support/bucket-events.ts";
import { pushImage } from "../support/content.ts";
import { upstreamOrigin } from "../upstream/unit/world.ts";
import {
  begin,
  createImportWorld,
  type ImportWorld,
  pullWhole,
  pushUpstream,
  pushWide,
  target,
  told,
} from "./world.ts";

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});

afterEach(() => vi.unstubAllGlobals());

/** A world in which it is as late as it is for the Worker. */
function createWorld(): ImportWorld {
  const world = createImportWorld();
  world.edge.clock.advance(Date.now() - world.edge.clock.now());
  return world;
}

/** The Worker's environment over the bucket of the world; the network is the world's upstream. */
function environment(world: ImportWorld, variables: Readonly<Record<string, string>> = {}): Env {
  vi.stubGlobal("fetch", (href: string, init: RequestInit) => {
    const url = new URL(href);
    return world.origin.ask(`${init.method} ${url.href}`, { headers: init.headers ?? {} });
  });
  return {
    BUCKET: world.edge.r2.actor("worker") as unknown as R2Bucket,
    TAGS: world.edge.kv.actor("worker") as unknown as KVNamespace,
    UPSTREAMS: JSON.stringify([{ prefix: "up", url: upstreamOrigin }]),
    ...variables,
  };
}

function batchOf(id: string) {
  const message = new MessageDouble({ import: id });
  const batch = { queue: "skerry-imports", messages: [message], ackAll: () => message.ack() };
  return { message, batch: batch as unknown as MessageBatch };
}

describe("the Worker's queue of imports", () => {
  it("brings an import to its end", async () => {
    const world = createWorld();
    const pushed = await pushUpstream(world);
    const id = await begin(world);
    const { message, batch } = batchOf(id);
    await worker.queue(batch, environment(world));
    expect(message.outcome).toBe("acknowledged");
    expect((await told(world.client, id)).state).toBe("done");
    await pullWhole(world.client, target, "1", pushed);
  });

  it("writes nothing while the registry is read-only, and leaves the import to the cron", async () => {
    const world = createWorld();
    await pushUpstream(world);
    const id = await begin(world);
    const before = world.edge.gate.trace.length;
    const { message, batch } = batchOf(id);
    await worker.queue(batch, environment(world, { READ_ONLY: "true" }));
    expect(message.outcome).toBe("acknowledged");
    expect(world.edge.gate.trace.slice(before)).toEqual([]);
    expect((await told(world.client, id)).state).toBe("open");
  });
});

describe("the Worker's cron trigger", () => {
  it("brings imports and collects garbage within what one run is granted", async () => {
    const world = createWorld();
    for (let count = 0; count < 30; count++)
      await pushImage(world.client, `team/app${count}`, "1", `${count}`);
    await pushWide(world, 40);
    const id = await begin(world);
    const operations = 200;
    const variables = { OPERATIONS_PER_REQUEST: String(operations) };
    const runs: number[] = [];
    const kinds = new Set<string>();
    for (let run = 0; run < 30; run++) {
      const before = world.edge.gate.trace.length;
      await worker.scheduled(controller, environment(world, variables));
      const trace = world.edge.gate.trace.slice(before);
      runs.push(trace.length);
      for (const { keys } of trace) kinds.add(keys[0]?.includes("/gc/") ? "gc" : "other");
    }
    expect((await told(world.client, id)).state).toBe("done");
    expect(kinds.has("gc")).toBe(true);
    expect(Math.max(...runs)).toBeLessThan(1.5 * operations);
  });
});

const controller: ScheduledController = { scheduledTime: 0, cron: "7 * * * *", noRetry: () => undefined };
