import { expect, it, vi } from "vitest";
import { consumeImports, driveImports } from "../../src/imports/drive.ts";
import type { Importer } from "../../src/imports/importer.ts";
import { counted } from "../doubles/rounds.ts";
import { begin, createImportWorld, importerOf, pushUpstream, rangeSize, told } from "./world.ts";

/** What the Free plan grants to one run of a trigger or of a queue's consumer. */
const most = { requests: 50, operations: 1000 };

/** Three imports of some fifty ranges each, and runs of the Worker for them on the Free plan. */
async function freePlan() {
  const world = createImportWorld();
  const ids: string[] = [];
  for (const [at, name] of ["team/one", "team/two", "team/three"].entries()) {
    await pushUpstream(world, { name, seed: 10 * (at + 1), large: 40 * rangeSize });
    ids.push(await begin(world, `up/${name}:1`, [`t${at}`]));
  }
  let asked = 0;
  world.answer(({ method, url, headers }) => {
    if (++asked > most.requests) throw new Error("Too many subrequests.");
    return world.origin.ask(`${method} ${url.href}`, { headers });
  });
  /** One run, in which an upstream that redirects is asked twice for each thing. */
  const run = async (work: (importer: Importer) => Promise<void>) => {
    asked = 0;
    const { A, B, kv } = await counted(world.edge.gate, () => work(importerOf(world.client)));
    return { requests: 2 * asked, operations: A + B + kv };
  };
  const states = () => Promise.all(ids.map(async (id) => (await told(world.client, id)).state));
  return { ...world, ids, run, states };
}

it("takes runs of the cron as they come, and none that is more than the Free plan grants", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const world = await freePlan();
  for (let runs = 0; runs < 20 && (await world.states()).includes("open"); runs++) {
    const { requests, operations } = await world.run(driveImports);
    expect(requests).toBeLessThanOrEqual(most.requests);
    expect(operations).toBeLessThanOrEqual(most.operations);
    world.edge.clock.advance(3_600_000);
  }
  expect(await world.states()).toEqual(["done", "done", "done"]);
  expect(warn).not.toHaveBeenCalled();
});

it("takes messages of the queue as they come, and none that is more than the Free plan grants", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const world = await freePlan();
  for (let runs = 0; runs < 30 && world.queued.length > 0; runs++) {
    const messages = world.queued.splice(0, 2).map(({ message }) => ({ body: message, ack: vi.fn() }));
    const { importQueue } = world.client.registry;
    const { requests, operations } = await world.run((importer) =>
      consumeImports(importer, importQueue, messages),
    );
    expect(requests).toBeLessThanOrEqual(most.requests);
    expect(operations).toBeLessThanOrEqual(most.operations);
  }
  expect(await world.states()).toEqual(["done", "done", "done"]);
  expect(warn).not.toHaveBeenCalled();
});
