import { describe, expect, it } from "vitest";
import { VirtualClock } from "../doubles/clock.ts";
import { createDoubles, type Doubles } from "../doubles/doubles.ts";
import { nothingMoves } from "../doubles/rounds.ts";
import { prepare } from "./case.ts";
import { pairs } from "./cases.ts";
import { Execution } from "./execution.ts";
import { generator } from "./randomness.ts";
import { Scheduler } from "./scheduler.ts";

function scheduled(): { readonly doubles: Doubles; readonly scheduler: Scheduler } {
  const clock = new VirtualClock();
  const doubles = createDoubles({ clock });
  const scheduler = new Scheduler(clock);
  doubles.gate.policy = scheduler.policy;
  return { doubles, scheduler };
}

describe("the scheduler", () => {
  it("lets operations take effect in the order of their release", async () => {
    const { doubles, scheduler } = scheduled();
    const puts = ["1", "2"].map((text) => doubles.r2.actor(text).put("k", text));
    await scheduler.settle(() => true);
    expect(scheduler.pending.map(({ id }) => id)).toEqual(["1: R2 put k", "2: R2 put k"]);
    scheduler.release("2: R2 put k");
    scheduler.release("1: R2 put k");
    await Promise.all(puts);
    expect([...doubles.r2.store.objects()].map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual([
      "1",
    ]);
  });

  it("shows an operation once its body was read", async () => {
    const { doubles, scheduler } = scheduled();
    const { readable, writable } = new FixedLengthStream(2);
    const writer = writable.getWriter();
    const put = doubles.r2.actor("a").put("k", readable);
    await writer.write(new Uint8Array(1));
    await scheduler.settle(() => false);
    expect(scheduler.pending).toEqual([]);
    await Promise.all([writer.write(new Uint8Array(1)), writer.close()]);
    await scheduler.settle(() => true);
    scheduler.release("a: R2 put k");
    expect((await put)?.size).toBe(2);
  });

  it("ends a sleep when it is released, and moves the clock", async () => {
    const { doubles, scheduler } = scheduled();
    const before = doubles.clock.now();
    const sleep = scheduler.sleep("a", 700);
    await scheduler.settle(() => true);
    scheduler.release("a: sleep 700");
    await sleep;
    expect(doubles.clock.now() - before).toBe(700);
  });

  it("drops the lost operations of a dead actor and lands the others", async () => {
    const { doubles, scheduler } = scheduled();
    const bucket = doubles.r2.actor("a");
    void bucket.put("lost", "");
    void bucket.put("late", "");
    await scheduler.settle(() => true);
    scheduler.kill("a", ({ id }) => id.endsWith("lost"));
    void bucket.put("after death", "");
    await scheduler.settle(() => true);
    expect(scheduler.pending.map(({ id }) => id)).toEqual(["a: R2 put late"]);
    scheduler.release("a: R2 put late");
    await scheduler.settle(() => true);
    expect([...doubles.r2.store.objects()].map(({ key }) => key)).toEqual(["late"]);
  });
});

describe("quiescence", () => {
  it.for(pairs.slice(0, 12))("$name: nothing moves after settling", async (given, { expect }) => {
    const { scenario } = await prepare(given);
    for (const seed of ["1", "2", "3"]) {
      const random = generator(seed);
      const execution = await Execution.begin(scenario);
      for (let { pending } = execution; pending.length > 0; { pending } = execution) {
        await nothingMoves();
        expect(execution.pending.map(({ id }) => id)).toEqual(pending.map(({ id }) => id));
        await execution.release(pending[Math.floor(random() * pending.length)] as (typeof pending)[number]);
      }
    }
  });
});
