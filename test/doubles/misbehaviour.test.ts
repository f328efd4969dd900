import { describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { createDoubles } from "./doubles.ts";
import type { KvOptions } from "./kv-store.ts";

// What R2 and KV do and their simulators do not: only the doubles can show it.

describe("one write a second for each R2 key", () => {
  it("refuses the second write until the second is over", async () => {
    const { r2, clock } = createDoubles({ r2: { oneWritePerSecond: true } });
    const bucket = r2.actor("one");
    await bucket.put("a", "1");
    await bucket.put("b", "1");
    clock.advance(999);
    await expect(bucket.put("a", "2")).rejects.toThrow(/^put: .*\(10058\)$/);
    expect(await (await bucket.get("a"))?.text()).toBe("1");
    clock.advance(1);
    await bucket.put("a", "2");
    expect(await (await bucket.get("a"))?.text()).toBe("2");
  });

  it("does not count a put whose condition failed", async () => {
    const { r2 } = createDoubles({ r2: { oneWritePerSecond: true } });
    const bucket = r2.actor("one");
    expect(await bucket.put("a", "1", { onlyIf: { etagMatches: "no" } })).toBeNull();
    expect(await bucket.put("a", "1")).not.toBeNull();
  });

  it("refuses a completed upload too", async () => {
    const { r2 } = createDoubles({ r2: { oneWritePerSecond: true } });
    const bucket = r2.actor("one");
    const upload = await bucket.createMultipartUpload("a");
    await bucket.put("a", "1");
    await expect(upload.complete([])).rejects.toThrow(/^completeMultipartUpload: .*\(10058\)$/);
  });
});

it("refuses a delete of more than 1,000 keys", async () => {
  const keys = Array.from({ length: 1001 }, (_, i) => `${i}`);
  await expect(createDoubles().r2.actor("one").delete(keys)).rejects.toThrow(/^delete: /);
});

describe("a stale KV namespace", () => {
  const open = (kv: Omit<KvOptions, "clock">) => {
    const doubles = createDoubles({ kv, clock: new VirtualClock() });
    const near = doubles.kv.actor("near");
    const far = doubles.kv.actor("far");
    return { ...doubles, near, far };
  };

  it("shows a reader what it saw for a minute, misses included", async () => {
    const { near, far, clock } = open({ readerCache: 60_000 });
    expect(await far.get("t")).toBeNull();
    await near.put("t", "1");
    clock.advance(59_999);
    expect([await near.get("t"), await far.get("t")]).toEqual(["1", null]);
    clock.advance(1);
    expect([await near.get("t"), await far.get("t")]).toEqual(["1", "1"]);
    await near.delete("t");
    expect([await near.get("t"), await far.get("t")]).toEqual([null, "1"]);
  });

  it("lets actors share one reader", async () => {
    const { kv, far } = open({ readerCache: 60_000 });
    expect(await far.get("t")).toBeNull();
    await kv.actor("writer").put("t", "1");
    expect(await kv.actor("another", "far").get("t")).toBeNull();
  });

  it("lets a late write bury a newer one", async () => {
    const { near, far, clock } = open({ delay: (write) => (write === 0 ? 50_000 : 0) });
    await near.put("t", "old");
    await near.put("t", "new");
    expect(await far.get("t")).toBe("new");
    clock.advance(50_000);
    expect(await far.get("t")).toBe("old");
  });

  it("loses a write", async () => {
    const { near, far, clock } = open({ delay: () => Number.POSITIVE_INFINITY });
    await near.put("t", "1");
    clock.advance(1e9);
    expect(await far.get("t")).toBeNull();
  });

  it("throws once the writes of a day are used up, and goes on reading", async () => {
    const { near } = open({ dailyWrites: 2 });
    await near.put("t", "1");
    await near.put("t", "2");
    await expect(near.put("t", "3")).rejects.toThrow("KV put() limit exceeded for the day.");
    await expect(near.delete("t")).rejects.toThrow("KV delete() limit exceeded for the day.");
    expect(await near.get("t")).toBe("2");
  });

  it("forgets a value when its lifetime is over", async () => {
    const { near, clock } = open({});
    await near.put("t", "1", { expirationTtl: 60 });
    clock.advance(59_000);
    expect(await near.get("t")).toBe("1");
    clock.advance(1000);
    expect([await near.get("t"), (await near.list()).keys]).toEqual([null, []]);
  });
});
