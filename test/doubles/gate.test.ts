import { describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { createDoubles } from "./doubles.ts";
import { everyFault, faults } from "./faults.ts";
import { printOperation } from "./operation.ts";
import { counted, nothingMoves } from "./rounds.ts";

describe("the gate", () => {
  it("records every operation with its actor", async () => {
    const { gate, r2, kv } = createDoubles();
    const bucket = r2.actor("one");
    await bucket.put("a", "1", { onlyIf: { etagDoesNotMatch: "*" } });
    await bucket.get("a");
    await bucket.list({ prefix: "a" });
    await r2.actor("two").delete(["a", "b"]);
    await kv.actor("two").getWithMetadata("t");
    const upload = await bucket.createMultipartUpload("m");
    await upload.complete([await upload.uploadPart(1, "x")]);
    expect(gate.trace.map((operation) => `${operation.actor}: ${printOperation(operation)}`)).toEqual([
      "one: R2 put a (conditional)",
      "one: R2 get a",
      "one: R2 list a",
      "two: R2 delete a b",
      "two: KV get t",
      "one: R2 createMultipartUpload m",
      "one: R2 uploadPart m",
      "one: R2 complete m",
    ]);
  });

  it("applies an operation when the policy says so, reading the body meanwhile", async () => {
    const { gate, r2 } = createDoubles();
    const open = Promise.withResolvers<undefined>();
    let ready: Promise<unknown> | undefined;
    gate.policy = (call) => {
      ready = call.ready;
      return open.promise;
    };
    const put = r2.actor("one").put("a", new Blob(["hello"]).stream());
    await ready;
    expect([...r2.store.objects()]).toEqual([]);
    open.resolve(undefined);
    await put;
    expect([...r2.store.objects()]).toMatchObject([{ key: "a" }]);
  });
});

describe("faults", () => {
  it.each([
    ["before", undefined],
    ["after", "1"],
  ] as const)("fails an operation %s its effect", async (when, stored) => {
    const { gate, r2 } = createDoubles();
    const bucket = r2.actor("one");
    gate.policy = faults([{ when, matching: (operation) => operation.kind === "put", times: 1 }]);
    await expect(bucket.put("a", "1")).rejects.toThrow(
      "put: We encountered an internal error. Please try again. (10001)",
    );
    expect(await (await bucket.get("a"))?.text()).toBe(stored);
    await bucket.put("a", "2");
    expect(await (await bucket.get("a"))?.text()).toBe("2");
  });

  it("runs a flow with every operation failing in both ways", async () => {
    const seen: string[] = [];
    const runs = await everyFault({
      prepare: () => createDoubles(),
      flow: async ({ r2, kv }) => {
        await r2.actor("one").put("a", "1");
        await kv
          .actor("one")
          .put("a", "1")
          .catch(() => undefined);
      },
      check: async ({ world, index, operation, when, outcome }) => {
        const left = [...world.r2.store.objects()].length + world.kv.store.keys("").length;
        seen.push(`${index} ${operation} ${when}: ${outcome.status}, ${left} left`);
      },
    });
    expect(runs).toBe(4);
    expect(seen).toEqual([
      "0 R2 put a before: rejected, 0 left",
      "0 R2 put a after: rejected, 1 left",
      "1 KV put a before: fulfilled, 1 left",
      "1 KV put a after: fulfilled, 2 left",
    ]);
  });
});

describe("counted", () => {
  it("counts classes, rounds and operations in flight", async () => {
    const { gate, r2, kv } = createDoubles();
    const bucket = r2.actor("one");
    const summary = await counted(gate, async () => {
      await bucket.get("a");
      await Promise.all([bucket.put("a", "1"), bucket.head("b"), kv.actor("one").put("k", "v")]);
      await bucket.list();
      await bucket.delete("a");
      return "done";
    });
    expect(summary).toMatchObject({ result: "done", A: 2, B: 2, kv: 1, rounds: 4, maxInFlight: 3 });
    expect(summary.operations[0]).toBe("R2 get a");
  });

  it("takes two rounds for seven operations of one request, and one for those of two", async () => {
    const { gate, r2 } = createDoubles();
    const heads = (actor: string, count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => r2.actor(actor).head(`${i}`)));
    expect(await counted(gate, () => heads("one", 7))).toMatchObject({ rounds: 2, maxInFlight: 7 });
    const two = await counted(gate, () => Promise.all([heads("one", 6), heads("two", 6)]));
    expect(two).toMatchObject({ rounds: 1, maxInFlight: 6 });
  });

  it("waits for whatever goes on between two operations", async () => {
    const { gate, r2 } = createDoubles();
    const bucket = r2.actor("one");
    const slow = async (key: string) => {
      for (let i = 0; i < 50; i++) {
        const text = await new Response(new Blob(["x".repeat(1000)]).stream()).text();
        await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
      }
      await bucket.put(key, new Response("body").body);
    };
    const summary = await counted(gate, () => Promise.all([bucket.head("a"), slow("b"), slow("c")]));
    expect(summary).toMatchObject({ rounds: 1, maxInFlight: 3 });
  });

  it("gives a put that waits for another operation's body a round of its own", async () => {
    const { gate, r2 } = createDoubles();
    const bucket = r2.actor("one");
    await bucket.put("a", "hello");
    const summary = await counted(gate, async () => {
      const { readable, writable } = new FixedLengthStream(5);
      const copy = bucket.put("b", readable);
      await (await bucket.get("a"))?.body.pipeTo(writable);
      await copy;
    });
    expect(summary).toMatchObject({ rounds: 2, maxInFlight: 2 });
  });
});

describe("nothingMoves", () => {
  it.each([
    ["promises", () => Promise.resolve()],
    ["digests", () => crypto.subtle.digest("SHA-256", new Uint8Array(1000))],
    ["response bodies", () => new Response("abc").text()],
    ["request bodies", () => new Request("http://x/", { method: "PUT", body: "abc" }).arrayBuffer()],
    ["streams", () => new Response(new Blob(["x"]).stream().pipeThrough(new TransformStream())).text()],
  ] as const)("waits for a long chain of %s", async (_name, step) => {
    let finished = false;
    const chain = (async () => {
      for (let i = 0; i < 1000; i++) await step();
      finished = true;
    })();
    await nothingMoves();
    expect(finished).toBe(true);
    await chain;
  });
});

describe("the virtual clock", () => {
  it("wakes sleepers in the order of their times when it is moved", async () => {
    const clock = new VirtualClock({ start: 1000 });
    const woken: string[] = [];
    void clock.sleep(20).then(() => woken.push("20"));
    void clock.sleep(10).then(() => woken.push("10"));
    clock.advance(9);
    await nothingMoves();
    expect([woken, clock.sleeping, clock.now()]).toEqual([[], 2, 1009]);
    clock.advance(11);
    await nothingMoves();
    expect([woken, clock.sleeping, clock.now()]).toEqual([["10", "20"], 0, 1020]);
  });

  it("moves by itself when automatic", async () => {
    const clock = new VirtualClock({ start: 0, automatic: true });
    await clock.sleep(300);
    expect(clock.now()).toBe(300);
  });
});
