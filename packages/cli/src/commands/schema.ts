import { childFields, type DataType, type Field, typeName } from "@ingest-ts/core";
import { open, type Reader } from "@ingest-ts/readers";
import type { Command } from "commander";
import { registerSchemaDiff } from "./schema-diff.ts";
import { addOpenOptions, type InputFlags, inputOf, readInputFlags, foldersHelp } from "../input/options.ts";
import { plural } from "../output/quantities.ts";
import { openOutput } from "../output/rows-out.ts";
import { datasetJson, datasetText } from "../output/dataset-text.ts";
import { visible } from "../output/visible.ts";
import { withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest schema flights.parquet
  ingest schema flights.parquet --json
  ingest schema flights/                             and which files differ, how
  ingest schema diff january.parquet february.orc
`;

const explanation = `
Prints the Arrow type of every column, fields of nested types indented below it,
and which cannot be null. --json prints {url, format, rows, fragments, schema}
on one line; rows is null when only reading the file would tell; for a data set
also {files, skipped, formats, differences}. Of a folder it prints the columns
of all files, and which files lack one or have another type.
${foldersHelp}`;

interface SchemaFlags extends InputFlags {
  readonly json?: boolean;
}

/** Adds `ingest schema` to the program. */
export function registerSchema(program: Command): void {
  const command = addOpenOptions(
    program
      .command("schema")
      .description("print the columns and their Arrow types")
      .argument("<uri...>", "files, folders or patterns (*, ?, [a-z], {a,b}, **)")
      .option("--json", "for programs"),
  )
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uris: string[], flags: SchemaFlags) => withSignals((signal) => schema(uris, flags, signal)));
  registerSchemaDiff(command);
}

async function schema(uris: readonly string[], flags: SchemaFlags, signal: AbortSignal): Promise<void> {
  const reader = await open(inputOf(uris), await readInputFlags(flags, signal));
  try {
    const sink = await openOutput(undefined);
    await sink.write(new TextEncoder().encode(flags.json === true ? jsonText(reader) : describe(reader)));
    await sink.close();
  } finally {
    await reader.close();
  }
}

function jsonText({ url, format, rows, fragments, schema, dataset }: Reader): string {
  const common = { url, format, rows: rows ?? null, fragments: fragments.length, schema };
  return `${JSON.stringify(dataset === undefined ? common : { ...common, ...datasetJson(dataset) })}\n`;
}

function describe(reader: Reader): string {
  const rows = reader.rows === undefined ? "rows unknown until read" : plural(reader.rows, "row");
  const lines = reader.schema.fields.flatMap((field) => fieldLines(field, 0));
  const width = lines.reduce((most, [name]) => Math.max(most, name.length), 0);
  const text = lines.map(([name, type]) => `${name.padEnd(width)}  ${type}\n`);
  const fragments = plural(reader.fragments.length, "fragment");
  const { dataset } = reader;
  const files = dataset === undefined ? "" : `${plural(dataset.listing.files.length, "file")}, `;
  const formats = dataset?.formats.join(" and ") ?? reader.format;
  const head = `${visible(reader.url)}: ${files}${formats}, ${rows}, ${fragments}\n`;
  return `${head}${text.join("")}${dataset === undefined ? "" : datasetText(dataset)}`;
}

/** Types whose fields below deserve lines of their own. */
const nested: ReadonlySet<DataType["kind"]> = new Set(["list", "largeList", "fixedSizeList", "map", "struct", "union"]);

function fieldLines(field: Field, level: number): [name: string, type: string][] {
  const name = `${"  ".repeat(level)}${visible(field.name) || '""'}`;
  const type = visible(`${typeName(field.type)}${field.nullable ? "" : " not null"}`);
  const below = nested.has(field.type.kind) ? childFields(field.type) : [];
  return [[name, type], ...below.flatMap((child) => fieldLines(child, level + 1))];
}
