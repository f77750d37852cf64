import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/bench/environment.ts";
import { buildReport, type BenchReport, type Measurement, median, type Outcome } from "../../src/bench/report.ts";
import { formatTable } from "../../src/bench/table.ts";

const environment: Environment = {
  ingest: "0.1.0",
  node: "20.20.2",
  platform: "linux",
  arch: "x64",
  kernel: "6.1",
  cpu: "A processor with quite a long name, as they are nowadays",
  cores: 2,
  memoryBytes: 8e9,
  loadAverage: 0.5,
  zstd: "wasm",
};

function measurement(wallMs: readonly number[], warmUpPasses = 1): Measurement {
  const samples = wallMs.map((ms) => ({ wallMs: ms, cpuMs: ms * 1.1 }));
  return { samples, warmUpPasses, peakRssBytes: 300e6, arrowBytes: 114e6, rows: 3_000_000 };
}

const measured: Outcome = {
  format: "parquet",
  codec: "snappy",
  sizeBytes: 13_000_000,
  digest: "ab".repeat(32),
  rows: 3_000_000,
  equal: true,
  measurements: {
    write: measurement([900, 800, 1000]),
    "read-full": measurement([100, 110, 90]),
    "read-projected": measurement([50, 40]),
    "shuffled-batches": measurement([2000], 0),
  },
};

function reportOf(outcomes: readonly Outcome[]): BenchReport {
  return buildReport({
    environment,
    data: {
      name: "flights-3m.parquet",
      files: [{ name: "flights-3m.parquet", sizeBytes: 13_493_022 }],
      rows: 3_000_000,
      columns: ["date", "delay", "distance", "origin", "destination"].map((name) => ({ name, type: "int64" })),
      arrowBytes: 114e6,
      projectedColumns: ["delay", "origin"],
      projectedArrowBytes: 45e6,
      digest: "ab".repeat(32),
      limit: "the first rows of it, up to 3,000,000 or 512 MB; more with --rows",
    },
    settings: { seed: 0, batchRows: 256, quick: false },
    outcomes,
    created: new Date("2026-01-02T03:04:05Z"),
    seconds: 41.23,
  });
}

const paint = { bad: (text: string): string => text, dim: (text: string): string => text };

describe("median", () => {
  it("is the middle, or the mean of the two middle ones", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

describe("buildReport", () => {
  it("has one result per figure, every pass kept", () => {
    const { checks, results, ...rest } = reportOf([measured]);
    expect(Object.keys(rest)).toEqual(["version", "created", "seconds", "environment", "data", "settings"]);
    expect(rest).toMatchObject({ version: 1, created: "2026-01-02T03:04:05.000Z", seconds: 41.23 });
    expect(checks).toEqual([
      { format: "parquet", codec: "snappy", equal: true, rows: 3_000_000, digest: "ab".repeat(32) },
    ]);
    expect(results.map(({ measure, unit }) => `${measure} ${unit}`)).toEqual([
      "encoded-size bytes",
      ...["write", "read-full", "read-projected", "shuffled-batches"].flatMap((name) => [
        `${name} rows/s`,
        `${name} MB/s`,
        `${name}-cpu s`,
        `${name}-peak-rss bytes`,
      ]),
    ]);
    expect(results[2]).toEqual({
      format: "parquet",
      codec: "snappy",
      measure: "write",
      value: 126.667,
      unit: "MB/s",
      rows: 3_000_000,
      passes: 3,
      warmUpPasses: 1,
      samples: [126.667, 142.5, 114],
    });
    expect(results[3]).toMatchObject({ measure: "write-cpu", value: 0.99, unit: "s" });
  });
});

describe("formatTable", () => {
  it("fits 80 columns and shows every figure", () => {
    const text = formatTable(reportOf([measured, { ...measured, codec: "none" }]), paint);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text).toMatchInlineSnapshot(`
      "flights-3m.parquet: 3,000,000 rows × 5 columns, 114 MB as Arrow (the first rows
        of it, up to 3,000,000 or 512 MB; more with --rows)
      projected = delay, origin (45.0 MB) · shuffled = batches of 256 rows, seed 0

                         size         write     full read     projected      shuffled
      format   codec       MB  MB/s  Mrow/s  MB/s  Mrow/s  MB/s  Mrow/s  MB/s  Mrow/s
      parquet  snappy    13.0   127   3.33  1,140   30.0  2,565   67.5   57.0   1.50*
      parquet  none      13.0   127   3.33  1,140   30.0  2,565   67.5   57.0   1.50*
      * one pass only, without warm-up: the time did not allow for more

                       CPU-seconds of one pass         peak RSS, MB
      format   codec   write   full    proj.   shuff.  write   full    proj.   shuff.
      parquet  snappy  0.99    0.11    0.05    2.20    300     300     300     300
      parquet  none    0.99    0.11    0.05    2.20    300     300     300     300

      rows: all 2 give back the same rows in the same order (digest abababababababab…)
      Node 20.20.2, 2 cores, A processor with quite a long name, as they are nowadays;
        zstd: wasm; 41.2 s in all
      "
    `);
  });

  it("says in its row why a format has no figures", () => {
    const long = `column "price" of type decimal(15, 2) cannot be held by TFRecord (which has int64, float32 and bytes). Leave it out, or choose another format.`;
    const text = formatTable(
      reportOf([
        { ...measured, missing: [{ measure: "shuffled-batches", error: "over the memory limit" }] },
        { format: "tfrecord", codec: "none", measurements: {}, error: long, failure: "unsupported" },
        { format: "tfrecord", codec: "gzip", measurements: {}, equal: false, digest: "cd".repeat(32), rows: 3 },
      ]),
      paint,
    );
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text.replaceAll(/\s+/g, " ")).toContain(long);
    expect(text).toContain("  shuffled: over the memory limit\n");
    expect(text).toContain("MISMATCH");
    expect(text).toContain("rows: tfrecord gzip failed the check");
  });
});
