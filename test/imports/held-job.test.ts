import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { endImport } from "../../src/imports/cancel.ts";
import { HeldJob } from "../../src/imports/held-job.ts";
import { readJob } from "../../src/imports/job.ts";
import { begin, createImportWorld, told } from "./world.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Milliseconds between two writes of a step that is at work, and for which one that is not heard of counts as such. */
const beat = 10_000;
const lease = 30_000;

async function hold() {
  const world = createImportWorld();
  const id = await begin(world);
  const { store } = world.client.registry;
  const read = async () => {
    const stored = await readJob(store, id);
    if (stored === undefined) throw new Error("the import is gone");
    return stored;
  };
  const held = await HeldJob.take(store, await read());
  if (held === undefined) throw new Error("another step has it");
  const work = Promise.withResolvers<void>();
  const lost = vi.fn();
  const working = held.while(() => work.promise, lost);
  /** Lets so much time go by. */
  const pass = async (milliseconds: number) => {
    world.edge.clock.advance(milliseconds);
    await vi.advanceTimersByTimeAsync(milliseconds);
  };
  const end = () => {
    work.resolve();
    return working;
  };
  return { ...world, id, store, read, held, lost, pass, end };
}

it("is kept for as long as its step is at work, however long that is", async () => {
  const { read, store, held, lost, pass, end, edge } = await hold();
  for (let beats = 0; beats < 10; beats++) {
    await pass(beat);
    const stored = await read();
    expect(stored.job.busyUntil).toBe(edge.clock.now() + lease);
    expect(await HeldJob.take(store, stored)).toBeUndefined();
  }
  await end();
  await held.release({});
  await pass(10 * beat);
  expect((await read()).job.busyUntil).toBe(0);
  expect(lost).not.toHaveBeenCalled();
});

it("tells with each beat what was achieved by then, and loses nothing of what is achieved meanwhile", async () => {
  const { read, held, pass, end, edge } = await hold();
  held.change({ stored: 1 });
  edge.gate.policy = ({ operation }) => {
    // While the beat is being written.
    if (operation.conditional) held.change({ stored: 2 });
    return undefined;
  };
  await pass(beat);
  expect((await read()).job.stored).toBe(1);
  edge.gate.policy = () => undefined;
  await end();
  await held.release({ state: "done" });
  expect((await read()).job).toMatchObject({ state: "done", stored: 2 });
});

it("is lost with the beat after its cancellation, and then not written any more", async () => {
  const { client, id, store, read, held, lost, pass, end } = await hold();
  await endImport(store, await read());
  expect(lost).not.toHaveBeenCalled();
  await pass(beat);
  expect(lost).toHaveBeenCalledOnce();
  await pass(10 * beat);
  await end();
  expect(await held.release({ state: "done" })).toBe(false);
  expect(lost).toHaveBeenCalledOnce();
  expect((await told(client, id)).state).toBe("cancelled");
});

it("is taken by another step once it was silent for its lease, and lost to the first one", async () => {
  const { read, store, held, lost, pass, end, edge } = await hold();
  edge.clock.advance(lease);
  const other = await HeldJob.take(store, await read());
  expect(other).toBeDefined();
  await pass(beat);
  expect(lost).toHaveBeenCalledOnce();
  await end();
  expect(await held.release({ state: "failed" })).toBe(false);
  expect(await other?.release({ state: "done" })).toBe(true);
  expect((await read()).job.state).toBe("done");
});

it("is kept by a step whose beat R2 refuses", async () => {
  const { read, held, lost, pass, end, edge } = await hold();
  edge.gate.policy = () => ({ when: "before", error: new Error("internal error") });
  await pass(beat);
  edge.gate.policy = () => undefined;
  await pass(beat);
  expect((await read()).job.busyUntil).toBe(edge.clock.now() + lease);
  expect(lost).not.toHaveBeenCalled();
  await end();
  expect(await held.release({ state: "done" })).toBe(true);
});
