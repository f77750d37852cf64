import { describe, expect, it } from "vitest";
import { Progress } from "../src/progress.ts";

function fake(isTTY: boolean): {
  stream: { isTTY: boolean; columns: number; write(text: string): void };
  written: string[];
} {
  const written: string[] = [];
  return { stream: { isTTY, columns: 40, write: (text) => void written.push(text) }, written };
}

describe("Progress", () => {
  it("redraws one line at most ten times a second on a terminal", () => {
    let now = 0;
    const { stream, written } = fake(true);
    const progress = new Progress({ stream, now: () => now });
    for (; now < 1000; now += 5)
      progress.update({
        label: "reading a file with a long name",
        rows: now,
        bytes: now * 1e6,
        elapsedMs: 1000,
        etaMs: 9000,
      });
    expect(written.length).toBeLessThanOrEqual(10);
    expect(written.every((text) => text.startsWith("\r\x1b[2K") && text.length <= 39 + 5 && !text.includes("\n"))).toBe(
      true,
    );
    progress.clear();
    expect(written.at(-1)).toBe("\r\x1b[2K");
  });

  it("writes sparse plain lines elsewhere", () => {
    let now = 0;
    const { stream, written } = fake(false);
    const progress = new Progress({ stream, now: () => now });
    for (; now < 30_000; now += 100)
      progress.update({
        label: now < 15_000 ? "write" : "read",
        rows: 1_000_000,
        bytes: 5e8,
        elapsedMs: 1000,
        etaMs: 4400,
      });
    expect(written).toEqual([
      "write · 1,000,000 rows · 500 MB/s · 4 s left\n",
      "write · 1,000,000 rows · 500 MB/s · 4 s left\n",
      "read · 1,000,000 rows · 500 MB/s · 4 s left\n",
      "read · 1,000,000 rows · 500 MB/s · 4 s left\n",
    ]);
  });

  it("is silent when quiet", () => {
    const { stream, written } = fake(true);
    const progress = new Progress({ stream, quiet: true });
    progress.update({ label: "x" });
    progress.line("y");
    progress.clear();
    expect(written).toEqual([]);
  });
});
