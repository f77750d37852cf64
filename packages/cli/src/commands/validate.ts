import { IngestError, publicUrl } from "@ingest-ts/core";
import { listDataset, type ListedFile, open } from "@ingest-ts/readers";
import type { Command } from "commander";
import {
  columnsOption,
  formatOption,
  type InputFlags,
  noteSkippedFiles,
  readInputFlags,
  schemaOption,
  timestampUnitOption,
  int96Option,
} from "../input/options.ts";
import { plural } from "../output/quantities.ts";
import { openOutput } from "../output/rows-out.ts";
import { visible } from "../output/visible.ts";
import { exitCodes } from "../process/exit-codes.ts";
import { breathe, withSignals } from "../process/signals.ts";
import { Progress } from "../progress.ts";

const examples = `
Examples:
  ingest validate flights.parquet
  ingest validate flights/ 'events/*.tfrecord' --quiet
  ingest validate events/ --json | jq 'select(.ok | not)'
`;

const explanation = `
Decodes every row of every file and verifies every checksum that the files have
(Parquet page CRC, TFRecord CRC-32C, Avro sync markers and snappy CRC), sizes,
counts and the encoding of text. Files are checked one by one, each by its own
schema; one line each: "ok", or "bad" with the first bad place and what is wrong
there. Exit code 0 when all are good, 3 when one is bad. --quiet prints bad
files only.`;

interface ValidateFlags extends InputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Adds `ingest validate` to the program. */
export function registerValidate(program: Command): void {
  program
    .command("validate")
    .description("decode files whole, verify every checksum, name the first bad place")
    .argument("<uri...>", "files, folders or patterns (*, ?, [a-z], {a,b}, **)")
    .addOption(columnsOption())
    .option("--json", "one JSON object per file")
    .option("-q, --quiet", "bad files only, and no progress")
    .addOption(schemaOption())
    .addOption(timestampUnitOption())
    .addOption(int96Option())
    .addOption(formatOption())
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uris: string[], flags: ValidateFlags) => withSignals((signal) => validate(uris, flags, signal)));
}

/** What was found out about one file. */
interface Verdict {
  readonly url: string;
  readonly rows: number;
  readonly fragments: number;
  readonly error: IngestError | undefined;
}

async function validate(uris: readonly string[], flags: ValidateFlags, signal: AbortSignal): Promise<void> {
  const options = await readInputFlags(flags, signal);
  const { files, skipped } = await listDataset(uris, { partitions: "none", signal });
  noteSkippedFiles(skipped);
  const progress = new Progress({ stream: process.stderr, quiet: flags.quiet });
  const sink = await openOutput(undefined);
  let bad = 0;
  try {
    for (const file of files) {
      const verdict = await validateFile(file, options, signal, progress);
      if (verdict.error !== undefined) bad++;
      if (verdict.error === undefined && flags.quiet === true) continue;
      progress.clear();
      await sink.write(new TextEncoder().encode(flags.json === true ? jsonLine(verdict) : textLine(verdict)));
    }
  } finally {
    progress.clear();
  }
  await sink.close();
  if (bad === 0) return;
  process.stderr.write(`ingest: ${bad} of ${plural(files.length, "file")} ${bad === 1 ? "is" : "are"} bad\n`);
  process.exitCode = exitCodes.badData;
}

async function validateFile(
  { url }: ListedFile,
  options: Awaited<ReturnType<typeof readInputFlags>>,
  signal: AbortSignal,
  progress: Progress,
): Promise<Verdict> {
  const startedAt = performance.now();
  let rows = 0;
  let fragments = 0;
  try {
    const { columns, format, schema } = options;
    const reader = await open(url, { columns, format, schema, signal });
    try {
      for (const fragment of reader.fragments) {
        for await (const slab of reader.fragmentSlabs(fragment, { signal })) {
          rows += slab.rows;
          progress.update({ label: visible(publicUrl(url)), rows, elapsedMs: performance.now() - startedAt });
          await breathe();
        }
        fragments++;
      }
    } finally {
      await reader.close();
    }
    return { url, rows, fragments, error: undefined };
  } catch (error) {
    signal.throwIfAborted();
    // A store that does not answer, or a wrong option, says nothing about the file.
    if (!(error instanceof IngestError) || !(error.code === "INGEST_FORMAT" || error.code === "INGEST_UNSUPPORTED"))
      throw error;
    return { url, rows, fragments, error };
  }
}

function textLine({ url, rows, fragments, error }: Verdict): string {
  const name = visible(publicUrl(url));
  if (error === undefined) return `${name}: ok, ${plural(rows, "row")} in ${plural(fragments, "fragment")}\n`;
  return `${name}: bad after ${plural(rows, "row")}: ${visible(error.message)}\n`;
}

function jsonLine({ url, rows, fragments, error }: Verdict): string {
  const base = { url: publicUrl(url), ok: error === undefined, rows, fragments };
  if (error === undefined) return `${JSON.stringify(base)}\n`;
  const { code, where, message } = error;
  return `${JSON.stringify({ ...base, error: { code, where, message } })}\n`;
}
