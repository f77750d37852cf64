import { open, type Reader } from "@ingest-ts/readers";
import type { Command } from "commander";
import { formatOption, type InputFlags, readInputFlags, schemaOption, whereOption } from "../input/options.ts";
import { openOutput } from "../output/rows-out.ts";
import { breathe, withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest count flights.parquet
  ingest count flights.parquet --where "delay > 60 and origin = 'SFO'"
`;

const explanation = `
The number comes from the file's metadata where that is exact; otherwise, and with
--where, rows are read and counted (only the columns that the condition names).`;

/** Adds `ingest count` to the program. */
export function registerCount(program: Command): void {
  program
    .command("count")
    .description("print the number of rows")
    .argument("<uri>", "a path or URL of one file")
    .addOption(whereOption())
    .addOption(schemaOption())
    .addOption(formatOption())
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uri: string, flags: InputFlags) => withSignals((signal) => count(uri, flags, signal)));
}

async function count(uri: string, flags: InputFlags, signal: AbortSignal): Promise<void> {
  const options = await readInputFlags(flags, signal);
  const reader = await open(uri, { ...options, columns: [] });
  try {
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
