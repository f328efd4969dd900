import { describe, expect, it, vi } from "vitest";
import { consumeImports, driveImports } from "../../src/imports/drive.ts";
import { faults } from "../doubles/faults.ts";
import type { Operation } from "../doubles/operation.ts";
import { expectStatus } from "../support/content.ts";
import type { World } from "../upstream/unit/world.ts";
import { begin, createImportWorld, importerOf, pullWhole, pushUpstream, target, told } from "./world.ts";

const day = 24 * 3600 * 1000;
/** So small that one run makes many steps. */
const allowance = { time: 0, requests: 900, operations: 9000 };

function messageOf(body: unknown) {
  return { body, ack: vi.fn() };
}

/** Every answer of the upstream takes three minutes from now on, so that a run has time for four. */
function slowDown({ edge, origin, answer }: World): void {
  answer(({ method, url, headers }) => {
    edge.clock.advance(180_000);
    return origin.ask(`${method} ${url.href}`, { headers });
  });
}

describe("the queue", () => {
  it("is told of an import as it begins, and brings all of it in one run", async () => {
    const world = createImportWorld();
    const pushed = await pushUpstream(world);
    const id = await begin(world);
    expect(world.queued).toEqual([{ message: { import: id }, delaySeconds: 0 }]);
    const message = messageOf(world.queued[0]?.message);
    const { importQueue } = world.client.registry;
    await consumeImports(importerOf(world.client, { allowance }), importQueue, [message]);
    expect(message.ack).toHaveBeenCalledOnce();
    expect(world.queued).toHaveLength(1);
    expect((await told(world.client, id)).state).toBe("done");
    await pullWhole(world.client, target, "1", pushed);
  });

  it("gets another message for an import that has to wait, as late as it has to", async () => {
    const world = createImportWorld();
    await pushUpstream(world);
    world.answer(() => new Response("", { status: 429, headers: { "Retry-After": "120" } }));
    const id = await begin(world);
    const message = messageOf({ import: id });
    await consumeImports(importerOf(world.client), world.client.registry.importQueue, [message]);
    expect(message.ack).toHaveBeenCalledOnce();
    expect(world.queued.slice(1)).toEqual([{ message: { import: id }, delaySeconds: 120 }]);
  });

  it("has what its run has no time for taken by the next one", async () => {
    const world = createImportWorld();
    await pushUpstream(world);
    const { clock } = world.edge;
    slowDown(world);
    const messages = [];
    for (let count = 0; count < 6; count++) messages.push(messageOf({ import: await begin(world) }));
    world.queued.length = 0;
    const began = clock.now();
    await consumeImports(importerOf(world.client), world.client.registry.importQueue, messages);
    expect(clock.now() - began).toBeLessThan(15 * 60_000);
    expect(messages.map(({ ack }) => ack.mock.calls.length)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(world.queued.map(({ message }) => message)).toEqual(messages.map(({ body }) => body));
  });

  it("does away with messages of imports that are over, or are none", async () => {
    const world = createImportWorld();
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const messages = [{ import: crypto.randomUUID() }, { import: "../../x" }, "nonsense", null].map(
      messageOf,
    );
    await consumeImports(importerOf(world.client), world.client.registry.importQueue, messages);
    expect(messages.map(({ ack }) => ack.mock.calls.length)).toEqual([1, 1, 1, 1]);
    expect(world.queued).toEqual([]);
    expect(error).toHaveBeenCalledTimes(2);
  });
});

describe("the cron", () => {
  it("brings all that is open, and is kept from none by one that fails", async () => {
    const world = createImportWorld();
    const one = await pushUpstream(world, { seed: 1, name: "team/one" });
    const two = await pushUpstream(world, { seed: 5, name: "team/two" });
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const ids = [
      await begin(world, "up/team/one:1", ["one"]),
      await begin(world, "up/team/none:1"),
      await begin(world, "up/team/busy:1"),
      await begin(world, "up/team/two:1", ["two"]),
    ];
    world.answer(({ url }) =>
      url.pathname.includes("busy") ? new Response("", { status: 503 }) : undefined,
    );
    const lines: string[] = [];
    await driveImports(importerOf(world.client, { allowance, log: (line) => lines.push(line) }));
    const ends = lines
      .map((line) => JSON.parse(line))
      .toSorted((one, other) => one.from.localeCompare(other.from));
    expect(ends).toMatchObject([
      { event: "import", state: "failed", from: "up/team/none", error: { code: "MANIFEST_UNKNOWN" } },
      {
        event: "import",
        state: "done",
        repository: target,
        from: "up/team/one",
        tags: ["one"],
        caller: "anonymous",
      },
      { event: "import", state: "done", from: "up/team/two", reference: "1", digest: two.image.digest },
    ]);
    const states = await Promise.all(ids.map(async (id) => (await told(world.client, id)).state));
    expect(states).toEqual(["done", "failed", "open", "done"]);
    await pullWhole(world.client, target, "one", one);
    await pullWhole(world.client, target, "two", two);
  });

  it("is kept from the others by none whose record cannot be written", async () => {
    const world = createImportWorld();
    const pushed = await pushUpstream(world);
    const broken = await begin(world, "up/team/app:1", ["broken"]);
    const whole = await begin(world, "up/team/app:1", ["whole"]);
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const isOfBroken = ({ kind, keys: [key] }: Operation) => kind === "put" && key?.endsWith(broken) === true;
    world.edge.gate.policy = faults([{ matching: isOfBroken, when: "before" }]);
    await driveImports(importerOf(world.client));
    expect(error).toHaveBeenCalledOnce();
    expect((await told(world.client, broken)).state).toBe("open");
    expect((await told(world.client, whole)).state).toBe("done");
    await pullWhole(world.client, target, "whole", pushed);
  });

  it("ends within its time, however many are open, and begins the next time with those that had no turn", async () => {
    const world = createImportWorld();
    await pushUpstream(world);
    const { clock } = world.edge;
    slowDown(world);
    const ids: string[] = [];
    for (let count = 0; count < 8; count++) ids.push(await begin(world, "up/team/app:1", [`t${count}`]));
    for (let runs = 0; runs < 2; runs++) {
      const began = clock.now();
      await driveImports(importerOf(world.client, { allowance }));
      expect(clock.now() - began).toBeLessThan(15 * 60_000);
      clock.advance(3600_000);
    }
    const digests = await Promise.all(ids.map(async (id) => (await told(world.client, id)).digest));
    expect(digests.filter((digest) => digest === null)).toEqual([]);
  });

  it("ends within its time, with imports that are not done, and goes on the next time", async () => {
    const world = createImportWorld();
    const pushed = await pushUpstream(world);
    const { clock } = world.edge;
    slowDown(world);
    const id = await begin(world);
    const began = clock.now();
    await driveImports(importerOf(world.client, { allowance }));
    expect(clock.now() - began).toBeLessThan(15 * 60_000);
    expect((await told(world.client, id)).state).toBe("open");
    for (let runs = 0; runs < 5; runs++) await driveImports(importerOf(world.client, { allowance }));
    expect((await told(world.client, id)).state).toBe("done");
    await pullWhole(world.client, target, "1", pushed);
  });

  it("forgets imports a week after they were over, and gives up those that go on as long", async () => {
    const world = createImportWorld();
    await pushUpstream(world);
    const done = await begin(world);
    await driveImports(importerOf(world.client));
    world.edge.clock.advance(6.9 * day);
    await driveImports(importerOf(world.client));
    expect((await told(world.client, done)).state).toBe("done");
    const late = await begin(world);
    world.answer(() => new Response("", { status: 429, headers: { "Retry-After": "3600" } }));
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await driveImports(importerOf(world.client));
    world.edge.clock.advance(7.1 * day);
    await driveImports(importerOf(world.client));
    await expectStatus(world.client.ask(`GET /v2/${target}/_skerry/imports/${done}`), 404);
    expect(await told(world.client, late)).toMatchObject({
      state: "failed",
      error: { message: "the import took more than a week" },
    });
  });
});
