import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { SourceError } from "@ingest-ts/core";
import type { Command } from "commander";
import { type BenchFlags, benchOptions, codecNames } from "../bench/options.ts";
import type { BenchReport } from "../bench/report.ts";
import { runBench } from "../bench/run.ts";
import { formatTable } from "../bench/table.ts";
import { collectColumns } from "../input/options.ts";
import { exitCodes } from "../process/exit-codes.ts";
import { withSignals } from "../process/signals.ts";
import { stdoutSink } from "../process/stdout-sink.ts";
import { Progress } from "../progress.ts";

const REPORT_FILE = "bench-report.json";

const examples = `
Examples:
  ingest bench                             three million flights (vega-datasets)
  ingest bench events-*.parquet            your own files, of one schema
  ingest bench --quick --formats parquet   a first impression in seconds
  ingest bench --formats orc,avro --codecs none,zlib,deflate,zstd
  ingest bench --codecs zstd --columns delay,origin --json
`;

const explanation = `
What is measured, for every format and codec, each in processes of its own:
  size       bytes of the encoded file
  write      the rows, held in memory, to a file
  full read  every column of the file to Arrow record batches
  projected  the same of a few columns (--columns); MB are of these columns
  shuffled   one epoch in seeded random order, in batches of 256 rows (--batch)
MB are millions of bytes that the rows take in Arrow memory, counted once from
the source, so that formats compare. Before anything is timed, the rows read
back are held against the source's by a digest of all values and their order; a
format whose rows differ has no figures, and the exit code is 1. One pass warms
up, the figure is the median of the others; ${REPORT_FILE} in this
folder holds every pass. A run takes about 45 seconds, and longer when single
passes do. Times of other machines, or of a machine with other work, do not
compare.
`;

/** Adds `ingest bench` to the program. */
export function registerBench(program: Command): void {
  program
    .command("bench")
    .description("measure size, write, read and shuffle of your data in every format and codec")
    .argument("[path...]", "files, folders or patterns, in any format that can be read")
    .option("--formats <names>", "only these, separated by commas: parquet, orc, avro, tfrecord")
    .option(
      "--codecs <names>",
      `only these, separated by commas: ${codecNames().join(", ")} (default: the usual ones of each format)`,
    )
    .option("-c, --columns <names>", "columns of the projected read; may repeat (default: two)", collectColumns)
    .option("--rows <n>", "the first n rows (default: 3,000,000 or 512 MB)")
    .option("--batch <n>", "rows of a shuffled batch (default: 256)")
    .option("--seed <n>", "of the shuffle (default: 0)")
    .option("--quick", "the first 200,000 rows, one pass")
    .option("--json", "print the report instead of the table")
    .option("-q, --quiet", "no progress")
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action(async (paths: string[], flags: BenchFlags) => {
      process.exitCode = await bench(paths, flags);
    });
}

/** @returns the exit code: 0, or 1 when a format did not give back the rows. */
export async function bench(paths: readonly string[], flags: BenchFlags): Promise<number> {
  const options = benchOptions(paths, flags, version());
  const progress = new Progress({ stream: process.stderr, quiet: flags.quiet });
  const report = await withSignals((signal) => runBench(options, { signal, progress }));
  await save(report);
  const text = flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : formatTable(report, paints());
  const output = stdoutSink();
  await output.write(new TextEncoder().encode(text));
  await output.close();
  progress.line(`Every pass is in ${REPORT_FILE}.`);
  return exitCodeOf(report);
}

function exitCodeOf(report: BenchReport): number {
  const failed = report.checks.filter((check) => !check.equal && check.failure !== "unsupported");
  if (failed.some((check) => check.failure === "defect")) return exitCodes.defect;
  return failed.length > 0 ? exitCodes.checkFailed : exitCodes.ok;
}

async function save(report: BenchReport): Promise<void> {
  try {
    await writeFile(REPORT_FILE, `${JSON.stringify(report, null, 2)}\n`);
  } catch (cause) {
    throw new SourceError("the report cannot be written", {
      where: { url: REPORT_FILE },
      remedy: "Run in a folder that can be written.",
      cause,
    });
  }
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

type Paint = (text: string) => string;

function paints(): { bad: Paint; dim: Paint } {
  const plain: Paint = (text) => text;
  const colour = process.stdout.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  if (!colour) return { bad: plain, dim: plain };
  return { bad: (text) => `\x1b[31m${text}\x1b[39m`, dim: (text) => `\x1b[2m${text}\x1b[22m` };
}
