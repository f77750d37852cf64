import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { measure } from "../../src/bench/measure.ts";

describe("measure", () => {
  it("warms up once and counts the other passes", async () => {
    let passes = 0;
    const pass = async (): Promise<void> => {
      passes++;
      await sleep(1);
    };
    const result = await measure(pass, { budgetMs: 5_000, maxPasses: 3, rows: 10, arrowBytes: 80 });
    expect(passes).toBe(4);
    expect(result).toMatchObject({ warmUpPasses: 1, rows: 10, arrowBytes: 80 });
    expect(result.samples).toHaveLength(3);
    expect(result.peakRssBytes).toBeGreaterThan(1e7);
  });

  it("counts the only pass when no second one fits the budget", async () => {
    const result = await measure(() => sleep(20), { budgetMs: 30, maxPasses: 3, rows: 1, arrowBytes: 1 });
    expect(result.warmUpPasses).toBe(0);
    expect(result.samples).toHaveLength(1);
    expect(result.samples[0]?.wallMs).toBeGreaterThanOrEqual(19);
  });
});
