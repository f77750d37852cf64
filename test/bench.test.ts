import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fromRecordBatch } from "@ingest-ts/core/arrow";
import { fileSink } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { Decimal, Int32, type RecordBatch, Table, vectorFromArray } from "apache-arrow";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));

let folder: string;
let temp: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bench test "));
  temp = mkdtempSync(join(tmpdir(), "bench temp "));
});

afterEach(() => {
  for (const path of [folder, temp]) rmSync(path, { recursive: true, force: true });
});

function start(...args: string[]): ChildProcess {
  const env = { ...process.env, TMPDIR: temp, NO_COLOR: "1" };
  return spawn(process.execPath, [main, "bench", ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
}

async function finished(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

const run = (...args: string[]): ReturnType<typeof finished> => finished(start(...args));

interface Report {
  version: number;
  checks: { format: string; codec: string; equal: boolean; digest?: string; error?: string }[];
  results: { format: string; codec: string; measure: string; value: number; unit: string }[];
}

describe.skipIf(!existsSync(main))("ingest bench (skipped: not built)", () => {
  it("checks and measures every format and codec, with nothing but the report on stdout", async () => {
    const { code, stdout, stderr } = await run("--quick", "--rows", "20000", "--json");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const report = JSON.parse(stdout) as Report;
    expect(JSON.parse(readFileSync(join(folder, "bench-report.json"), "utf8"))).toEqual(report);
    expect(Object.keys(report)).toEqual([
      "version",
      "created",
      "seconds",
      "environment",
      "data",
      "settings",
      "checks",
      "results",
    ]);
    expect(report.checks.map(({ format, codec, equal }) => `${format} ${codec} ${equal}`)).toEqual([
      "parquet none true",
      "parquet snappy true",
      "parquet zstd true",
      "orc snappy true",
      "orc zstd true",
      "avro none true",
      "avro snappy true",
      "tfrecord none true",
      "tfrecord gzip true",
    ]);
    expect(new Set(report.checks.map(({ digest }) => digest)).size).toBe(1);
    for (const { format, codec } of report.checks) {
      const figures = report.results.filter((result) => result.format === format && result.codec === codec);
      expect(figures.map(({ measure, unit }) => `${measure} ${unit}`)).toEqual([
        "encoded-size bytes",
        ...["write", "read-full", "read-projected", "shuffled-batches"].flatMap((name) => [
          `${name} rows/s`,
          `${name} MB/s`,
          `${name}-cpu s`,
          `${name}-peak-rss bytes`,
        ]),
      ]);
      expect(figures.every(({ value }) => Number.isFinite(value) && value >= 0)).toBe(true);
    }
    expect(readdirSync(temp)).toEqual([]);
  });

  it("prints a table of at most 80 columns", async () => {
    const { code, stdout } = await run(
      "--quick",
      "--rows",
      "5000",
      "--formats",
      "parquet",
      "--columns",
      "date,distance",
      "-q",
    );
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines.filter((line) => /^parquet +(none|snappy|zstd) /.test(line))).toHaveLength(6);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).toContain("projected = date, distance");
    expect(stdout).toContain("all 3 give back the same rows");
  });

  it("says in its row that a format cannot hold a column, and goes on", async () => {
    const path = join(folder, "prices.parquet");
    const price = vectorFromArray(
      [1n, 2n, 3n].map((n) => new Uint32Array([Number(n), 0, 0, 0])),
      new Decimal(2, 15),
    );
    const table = new Table({ id: vectorFromArray([1, 2, 3], new Int32()), price });
    const slab = fromRecordBatch(table.batches[0] as RecordBatch);
    const writer = await createParquetWriter(await fileSink(path), slab.schema);
    await writer.write(slab);
    await writer.finish();
    const { code, stdout } = await run(path, "--codecs", "none", "--quick", "--json");
    expect(code).toBe(0);
    const { checks } = JSON.parse(stdout) as Report;
    expect(checks.map(({ format, equal }) => `${format} ${equal}`)).toEqual([
      "parquet true",
      "orc true",
      "avro true",
      "tfrecord false",
    ]);
    expect(checks.find(({ format }) => format === "tfrecord")?.error).toMatch(/price/);
  });

  it("stops at Ctrl-C with code 130 and leaves no temporary file", async () => {
    const child = start("--formats", "tfrecord");
    const end = finished(child);
    while (readdirSync(temp).every((name) => readdirSync(join(temp, name)).length === 0)) await sleep(20);
    child.kill("SIGINT");
    expect(await end).toMatchObject({ code: 130, stdout: "" });
    expect(readdirSync(temp)).toEqual([]);
    expect(existsSync(join(folder, "bench-report.json"))).toBe(false);
  });

  it.each([
    [["--rows", "none"], 2, /--rows none/],
    [["--formats", "csv"], 2, /"csv" is unknown/],
    [["--frobnicate"], 2, /frobnicate/],
    [["--quick", "--rows", "100", "--columns", "nowhere"], 2, /no column "nowhere"/],
    [["missing.parquet"], 4, /missing\.parquet/],
  ])("refuses %j with exit code %i", async (args, expected, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(readdirSync(temp)).toEqual([]);
  });
});
