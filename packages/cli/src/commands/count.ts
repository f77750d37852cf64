import { open, type Reader } from "@ingest-ts/readers";
import type { Command } from "commander";
import {
  addOpenOptions,
  type InputFlags,
  inputOf,
  noteSkipped,
  readInputFlags,
  whereOption,
  foldersHelp,
} from "../input/options.ts";
import { openOutput } from "../output/rows-out.ts";
import { breathe, withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest count flights.parquet
  ingest count flights.parquet --where "delay > 60 and origin = 'SFO'"
  ingest count flights/ 'events/*.avro'
`;

const explanation = `
The number comes from the file's metadata where that is exact; otherwise, and
with --where, rows are read and counted (only the columns that the condition
names).
${foldersHelp}`;

/** Adds `ingest count` to the program. */
export function registerCount(program: Command): void {
  addOpenOptions(
    program
      .command("count")
      .description("print the number of rows")
      .argument("<uri...>", "files, folders or patterns (*, ?, [a-z], {a,b}, **)")
      .addOption(whereOption()),
  )
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uris: string[], flags: InputFlags) => withSignals((signal) => count(uris, flags, signal)));
}

async function count(uris: readonly string[], flags: InputFlags, signal: AbortSignal): Promise<void> {
  const options = await readInputFlags(flags, signal);
  const reader = await open(inputOf(uris), { ...options, columns: [] });
  try {
    noteSkipped(reader);
    const rows = reader.rows ?? (await countRows(reader, signal));
    const sink = await openOutput(undefined);
    await sink.write(new TextEncoder().encode(`${rows}\n`));
    await sink.close();
  } finally {
    await reader.close();
  }
}

async function countRows(reader: Reader, signal: AbortSignal): Promise<number> {
  let rows = 0;
  for await (const slab of reader.slabs({ signal })) {
    rows += slab.rows;
    await breathe();
  }
  return rows;
}
