import { describe, expect, it } from "vitest";
import { type Comparison, ratio, summarize, table } from "../../bench/support/comparison.ts";
import { plot } from "../../bench/support/plot.ts";
import { type Round, runRound } from "../../bench/support/round.ts";
import { median, shown } from "../../bench/support/statistics.ts";
import { cpuSeconds, machineSeconds } from "../../bench/support/usage.ts";

function round(perOperation: number, cpu?: number): Round {
  return { perOperation, latencies: [perOperation], cpu, foreign: 0 };
}

const comparison: Comparison = {
  of: { name: "a <load>", operations: 2, width: 4, open: async () => async () => [] },
  results: [
    { registry: "Skerry", rounds: [round(1, 0.5), round(9, 0.7), round(2, 0.6)] },
    { registry: "other", rounds: [round(4), round(4), round(5)] },
  ],
};

describe("statistics", () => {
  it.each([
    [[3], 3],
    [[9, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])("the median of %j is %d", (values, middle) => {
    expect(median(values)).toBe(middle);
  });

  it.each([
    [1234.5, "1235"],
    [12.345, "12.3"],
    [0.012345, "0.012"],
    [0, "0"],
    [Number.NaN, "–"],
  ])("%d is shown as %s", (value, text) => {
    expect(shown(value)).toBe(text);
  });
});

describe("a comparison", () => {
  it("is one of medians", () => {
    const [first, other] = comparison.results;
    expect(summarize(first?.rounds ?? [])).toMatchObject({ perOperation: 2, range: [1, 9], cpu: 0.6 });
    expect(first && other && ratio(first, other)).toBe(0.5);
  });

  it("becomes a row", () => {
    expect(table([comparison]).split("\n").at(-1)).toBe(
      "| a <load> | 4 | 2.00 (1.00–9.00) | 4.00 (4.00–5.00) | 0.600 |  | 0.500 |",
    );
  });

  it("says what failed", () => {
    const failed = { ...comparison, results: [{ registry: "Skerry", rounds: [], error: "broken" }] };
    expect(table([failed])).toContain("| failed |");
  });

  it("becomes a bar", () => {
    const chart = plot([comparison]);
    expect(chart).toContain("a &lt;load></text>");
    expect(chart).toContain(">0.500</text>");
  });
});

describe("a round", () => {
  it("runs every operation, as many at once as it may", async () => {
    let running = 0;
    let most = 0;
    let done = 0;
    const operation = async () => {
      running++;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      done++;
    };
    const { latencies, cpu } = await runRound(Array(10).fill(operation), 3, 60, process.pid);
    expect([done, latencies.length, most]).toEqual([10, 10, 3]);
    expect(cpu).toBeGreaterThanOrEqual(0);
  });

  it("begins nothing once its time is up", async () => {
    let done = 0;
    const operation = async () => {
      done++;
      const end = performance.now() + 20;
      while (performance.now() < end);
    };
    const { latencies } = await runRound(Array(100).fill(operation), 1, 0.05, undefined);
    expect(latencies.length).toBe(done);
    expect(done).toBeLessThan(10);
  });

  it("fails with an operation that fails", async () => {
    const broken = () => Promise.reject(new Error("no"));
    await expect(runRound([broken], 1, 1, undefined)).rejects.toThrow("no");
  });
});

it("sees the CPU that this process uses", () => {
  const before = [cpuSeconds(process.pid), machineSeconds()] as const;
  const end = process.cpuUsage().user + 300_000;
  while (process.cpuUsage().user < end);
  const machine = machineSeconds();
  expect(cpuSeconds(process.pid) - before[0]).toBeGreaterThanOrEqual(0.25);
  expect(machine.busy - before[1].busy).toBeGreaterThanOrEqual(0.25);
  expect(machine.all).toBeGreaterThan(before[1].all);
});
