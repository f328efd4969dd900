import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VirtualClock } from "../doubles/clock.ts";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import { authorized, createTestRegistry } from "../support/registry.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
});

function createWorld(kv = true) {
  const world = createTestRegistry({
    clock: new VirtualClock(),
    config: { anonymous: "none", kvRecords: kv },
  });
  return { ...world, client: world.client() };
}

describe("/livez and /version", () => {
  it.each(["/livez", "/version"])("%s asks nobody, wants no credentials and is not cached", async (path) => {
    const { client, gate } = createWorld();
    gate.policy = faults([{ when: "before" }]);
    const answer = await authorized(client, "Basic nonsense").ask(`GET ${path}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(gate.trace).toEqual([]);
    expect((await client.ask(`HEAD ${path}`)).status).toBe(200);
    expect((await client.ask(`POST ${path}`)).status).toBe(405);
  });
});

describe("/readyz", () => {
  it("asks R2 and KV, and gives the same answer for five seconds", async () => {
    const { client, gate, clock } = createWorld();
    const answer = await client.ask("GET /readyz");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(await answer.json()).toEqual({ status: "ok", r2: "ok", kv: "ok" });
    expect(gate.trace.map(({ store, kind }) => `${store} ${kind}`).sort()).toEqual(["KV get", "R2 head"]);
    gate.policy = faults([{ when: "before" }]);
    clock.advance(4999);
    expect((await client.ask("GET /readyz")).status).toBe(200);
    expect(gate.trace).toHaveLength(2);
    clock.advance(1);
    expect((await client.ask("GET /readyz")).status).toBe(503);
    expect(gate.trace).toHaveLength(4);
  });

  it("does not ask KV where it keeps nothing", async () => {
    const { client } = createWorld(false);
    expect(await (await client.ask("GET /readyz")).json()).toEqual({ status: "ok", r2: "ok" });
  });

  it.each(["R2", "KV"] as const)("says that %s failed, and nothing of the inside", async (store) => {
    const { client, gate } = createWorld();
    gate.policy = faults([{ when: "before", matching: (operation) => operation.store === store }]);
    const answer = await client.ask("GET /readyz");
    expect(answer.status).toBe(503);
    const verdicts = { r2: "ok", kv: "ok", [store.toLowerCase()]: "failed" };
    expect(await answer.json()).toEqual({ status: "failed", ...verdicts });
  });

  it("waits two seconds for an answer, and does not let others wait who know an earlier one", async () => {
    const { client, gate, clock } = createWorld();
    await client.ask("GET /readyz");
    clock.advance(5000);
    gate.policy = () => new Promise(() => undefined);
    const slow = client.ask("GET /readyz");
    await vi.waitUntil(() => gate.trace.length === 4);
    expect((await client.ask("GET /readyz")).status).toBe(200);
    clock.advance(2000);
    expect((await slow).status).toBe(503);
    gate.policy = immediate;
    clock.advance(3000);
    expect((await client.ask("GET /readyz")).status).toBe(200);
  });
});
