import { readFileSync, writeFileSync } from "node:fs";
import type { Measurement, Sample } from "./report.ts";

export interface MeasureOptions {
  /** For all passes together, the warm-up included; the first pass always runs to its end. */
  readonly budgetMs: number;
  readonly maxPasses: number;
  readonly rows: number;
  readonly arrowBytes: number;
}

/**
 * Runs `pass` once to warm up and then as often as the budget allows. When not even a second pass would fit, the first
 * one counts and the measurement says so.
 */
export async function measure(pass: () => Promise<void>, options: MeasureOptions): Promise<Measurement> {
  collectGarbage();
  resetPeakRss();
  const start = performance.now();
  const first = await timed(pass);
  const samples: Sample[] = [];
  let longestMs = first.wallMs;
  while (samples.length < options.maxPasses && performance.now() - start + longestMs <= options.budgetMs) {
    const sample = await timed(pass);
    samples.push(sample);
    longestMs = Math.max(longestMs, sample.wallMs);
  }
  return {
    samples: samples.length === 0 ? [first] : samples,
    warmUpPasses: samples.length === 0 ? 0 : 1,
    peakRssBytes: peakRss(),
    arrowBytes: options.arrowBytes,
    rows: options.rows,
  };
}

async function timed(pass: () => Promise<void>): Promise<Sample> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await pass();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

/** So that one measure does not pay for what another left behind. Workers are started with --expose-gc. */
function collectGarbage(): void {
  globalThis.gc?.();
}

/** Linux forgets a process's peak when 5 is written here (proc(5), clear_refs); elsewhere the peak only ever grows. */
function resetPeakRss(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Then the peak is that of the process so far: higher, never lower, than the measure's own.
  }
}

function peakRss(): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (match !== null) return Number(match[1]) * 1024;
  } catch {
    // No such file: not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
