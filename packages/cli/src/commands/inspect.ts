import { inspect, type InspectFileOptions } from "@ingest-ts/readers";
import type { Command } from "commander";
import { formatOption, type InputFlags, readInputFlags, schemaOption } from "../input/options.ts";
import { inspectJson, inspectText } from "../output/inspect-text.ts";
import { openOutput, terminalWidth } from "../output/rows-out.ts";
import { withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest inspect flights.parquet
  ingest inspect flights.parquet --pages
  ingest inspect flights.orc --json | jq '.fragments[0].columns[].path'
`;

const explanation = `
Prints how one file is laid out: row groups, stripes or record batches with
their places; columns with their stored types, codecs, encodings and sizes; null
counts, bounds and indexes. Bounds are those that --where goes by: "?" where the
file says nothing, or nothing that can be believed, "-" where there is no value;
they may be wider than the values. No row is decoded. --pages goes down to pages
(Parquet), streams (ORC), blocks (Avro) and runs of records (TFRecord), which
reads more of the file. Of row formats, whose files have no such statistics, it
prints the columns and their types.`;

interface InspectFlags extends InputFlags {
  readonly pages?: boolean;
  readonly json?: boolean;
}

/** Adds `ingest inspect` to the program. */
export function registerInspect(program: Command): void {
  program
    .command("inspect")
    .description("print how a file is laid out: fragments, columns, sizes, statistics")
    .argument("<uri>", "one file")
    .option("--pages", "down to pages, streams or blocks")
    .option("--json", "for programs")
    .addOption(schemaOption())
    .addOption(formatOption())
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uri: string, flags: InspectFlags) => withSignals((signal) => inspectFile(uri, flags, signal)));
}

async function inspectFile(uri: string, flags: InspectFlags, signal: AbortSignal): Promise<void> {
  const { format, schema } = await readInputFlags(flags, signal);
  const pages = flags.pages === true;
  const options: InspectFileOptions = { format, schema, pages, signal };
  const inspection = await inspect(uri, options);
  const sink = await openOutput(undefined);
  const isJson = flags.json === true;
  const text = isJson
    ? `${JSON.stringify(inspectJson(inspection))}\n`
    : inspectText(inspection, pages, process.stdout.isTTY || process.env["COLUMNS"] ? terminalWidth() : Infinity);
  await sink.write(new TextEncoder().encode(text));
  await sink.close();
}
