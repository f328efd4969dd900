import { beforeEach, expect, it, vi } from "vitest";
import { noise } from "../support/content.ts";
import { keysOf, type Sent, type World } from "../upstream/unit/world.ts";
import { begin, createImportWorld, drive, pullWhole, pushUpstream, rangeSize, step } from "./world.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

const isRange = ({ headers }: Sent) => headers.has("Range");

function ask({ origin }: World, { method, url, headers }: Sent): Promise<Response> {
  return origin.ask(`${method} ${url.href}`, { headers });
}

it.each([
  ["one step", 20],
  ["many steps", 2],
])("gives up a large blob whose bytes are others every time, in %s each", async (_what, requests) => {
  const world = createImportWorld();
  await pushUpstream(world);
  world.answer(async (sent) => {
    const answer = await ask(world, sent);
    if (!isRange(sent)) return answer;
    return new Response(noise((await answer.arrayBuffer()).byteLength, 99), answer);
  });
  const id = await begin(world);
  const allowance = { time: 20_000, requests, operations: 900 };
  expect(await drive(world.client, id, { allowance }, 200)).toMatchObject({ state: "failed" });
  expect(world.sent.filter(isRange).length).toBeLessThan(4 * 12);
  expect((await keysOf(world)).filter((key) => key.includes("/_uploads/"))).toEqual([]);
});

it("brings a large blob anew whose segments lie elsewhere than they should", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  const id = await begin(world);
  const allowance = { time: 20_000, requests: 5, operations: 900 };
  await step(world.client, id, { allowance });
  expect((await keysOf(world)).filter((key) => key.includes("/_uploads/"))).not.toEqual([]);
  // Another release cuts blobs into other ranges.
  expect(await drive(world.client, id, { rangeSize: 1.5 * rangeSize })).toMatchObject({ state: "done" });
  await pullWhole(world.client, "team/copy", "1", pushed);
  expect((await keysOf(world)).filter((key) => key.includes("/_uploads/"))).toEqual([]);
});
